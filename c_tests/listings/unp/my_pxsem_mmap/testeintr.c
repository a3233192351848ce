/* UNP vol. 2, chapter 10, testeintr: a signal whose handler does not restart calls ends sem_wait with EINTR. */
#include "../../listing.h"
#include <semaphore.h>
#include <signal.h>

static void woken(int signal_number) { (void)signal_number; }

int main(void)
{
    struct sigaction action = {.sa_handler = woken};
    sem_t *sem;

    sem_unlink(px_ipc_name("testeintr"));
    sem = sem_open(px_ipc_name("testeintr"), O_CREAT | O_EXCL, FILE_MODE, 0);
    if (sem == SEM_FAILED)
        err_sys("sem_open error for %s", px_ipc_name("testeintr"));
    if (sigaction(SIGALRM, &action, NULL) == -1)
        err_sys("sigaction error");
    alarm(2);
    if (sem_wait(sem) == 0)
        printf("sem_wait returned 0?\n");
    else
        err_ret("sem_wait error");
    if (sem_close(sem) == -1)
        err_sys("sem_close error");
    if (sem_unlink(px_ipc_name("testeintr")) == -1)
        err_sys("sem_unlink error");
    return 0;
}
