/* UNP vol. 2, chapter 10: what the programs for semaphores share. */
#ifndef PXSEM_H
#define PXSEM_H

#include "../../listing.h"
#include <semaphore.h>

LISTING_API sem_t *open_sem(const char *name)
{
    sem_t *sem = sem_open(name, 0);

    if (sem == SEM_FAILED)
        err_sys("sem_open error for %s", name);
    return sem;
}

/* A new one, named in the book's way. */
LISTING_API sem_t *create_sem(const char *name, unsigned value)
{
    const char *path = px_ipc_name(name);
    sem_t *sem = sem_open(path, O_CREAT | O_EXCL, FILE_MODE, value);

    if (sem == SEM_FAILED)
        err_sys("sem_open error for %s", path);
    return sem;
}

LISTING_API void unlink_sem(const char *name)
{
    if (sem_unlink(px_ipc_name(name)) == -1)
        err_sys("sem_unlink error");
}

LISTING_API void init_sem(sem_t *sem, unsigned value)
{
    if (sem_init(sem, 0, value) == -1)
        err_sys("sem_init error");
}

LISTING_API void take(sem_t *sem)
{
    if (sem_wait(sem) == -1)
        err_sys("sem_wait error");
}

LISTING_API void give(sem_t *sem)
{
    if (sem_post(sem) == -1)
        err_sys("sem_post error");
}

LISTING_API int value_of(sem_t *sem)
{
    int value;

    if (sem_getvalue(sem, &value) == -1)
        err_sys("sem_getvalue error");
    return value;
}

#endif
