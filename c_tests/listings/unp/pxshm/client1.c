/* UNP vol. 2, chapter 13, client1 <shmname> <semname> <#loops>: counts on, with others, each time holding the semaphore. */
#include "pxshm.h"
#include <semaphore.h>

int main(int argc, char **argv)
{
    int *counter, i, loops;
    const char *path;
    sem_t *mutex;

    if (argc != 4)
        err_quit("usage: client1 <shmname> <semname> <#loops>");
    loops = atoi(argv[3]);
    counter = old_shm(argv[1], sizeof *counter);
    path = px_ipc_name(argv[2]);
    mutex = sem_open(path, 0);
    if (mutex == SEM_FAILED)
        err_sys("sem_open error for %s", path);
    for (i = 0; i < loops; i++) {
        if (sem_wait(mutex) == -1)
            err_sys("sem_wait error");
        printf("pid %ld: %d\n", (long)getpid(), (*counter)++);
        if (sem_post(mutex) == -1)
            err_sys("sem_post error");
    }
    return 0;
}
