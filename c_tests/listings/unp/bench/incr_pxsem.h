/* UNP vol. 2, appendix A: the lock of the incr_pxsem* programs is a POSIX semaphore; they differ in where it is. */
#ifndef INCR_PXSEM_H
#define INCR_PXSEM_H

#include "incr.h"

static sem_t *mutex;

LISTING_API void make_unnamed(sem_t *sem, int shared)
{
    mutex = sem;
    if (sem_init(sem, shared, 0) == -1)
        err_sys("sem_init error");
}

/* Named, and the name kept. */
LISTING_API sem_t *make_named(const char *name)
{
    sem_t *sem;

    sem_unlink(px_ipc_name(name));
    sem = sem_open(px_ipc_name(name), O_CREAT | O_EXCL, FILE_MODE, 0);
    if (sem == SEM_FAILED)
        err_sys("sem_open error for %s", px_ipc_name(name));
    return sem;
}

LISTING_API void take(void)
{
    if (sem_wait(mutex) == -1)
        err_sys("sem_wait error");
}

LISTING_API void give(void)
{
    if (sem_post(mutex) == -1)
        err_sys("sem_post error");
}

#endif
