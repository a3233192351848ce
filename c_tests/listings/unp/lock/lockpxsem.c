/* UNP vol. 2, chapter 10: a lock by a named semaphore; a process that dies with it keeps it. */
#include "lock.h"
#include <semaphore.h>

static sem_t *mutex;

void my_lock(void)
{
    if (!mutex)
        mutex = sem_open(px_ipc_name("pxsemlock"), O_CREAT, FILE_MODE, 1);
    if (mutex == SEM_FAILED)
        err_sys("sem_open error for %s", px_ipc_name("pxsemlock"));
    if (sem_wait(mutex) == -1)
        err_sys("sem_wait error");
}

void my_unlock(void)
{
    if (sem_post(mutex) == -1)
        err_sys("sem_post error");
}
