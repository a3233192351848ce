/* UNP vol. 2, chapter 10, testeintr: a handler ends sem_wait with EINTR, of a named and of an unnamed semaphore. */
#include "pxsem.h"
#include <signal.h>

static void caught(int signal_number)
{
    (void)signal_number;
    printf("SIGALRM caught\n");
}

static void wait_for_alarm(sem_t *sem)
{
    alarm(2);
    if (sem_wait(sem) == 0)
        printf("sem_wait returned 0?\n");
    else
        err_ret("sem_wait error");
}

int main(void)
{
    struct sigaction action = {.sa_handler = caught};
    sem_t *named = create_sem("mutex", 0), unnamed;

    unlink_sem("mutex");
    if (sigaction(SIGALRM, &action, NULL) == -1)
        err_sys("signal error");
    wait_for_alarm(named);
    if (sem_close(named) == -1)
        err_sys("sem_close error");
    init_sem(&unnamed, 0);
    wait_for_alarm(&unnamed);
    sem_destroy(&unnamed);
    return 0;
}
