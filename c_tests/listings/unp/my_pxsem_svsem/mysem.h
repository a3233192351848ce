/* Semaphores with the calls of <semaphore.h>, made of System V semaphores. The tests, written for sem_*, get these. */
#ifndef MYSEM_H
#define MYSEM_H

#include "../../listing.h"
#include <semaphore.h>

typedef struct {
    int semid;
    int magic;
} mysem_t;

/* Values are at most 32767. A mode and a value follow the flags if O_CREAT is in them. */
mysem_t *mysem_open(const char *path, int flags, ...);
int mysem_close(mysem_t *sem);
/* Unlike sem_unlink it ends the semaphore for all who have it open (EIDRM, EINVAL). */
int mysem_unlink(const char *path);
int mysem_wait(mysem_t *sem);
int mysem_trywait(mysem_t *sem);
int mysem_post(mysem_t *sem);
int mysem_getvalue(mysem_t *sem, int *value);

#define sem_t mysem_t
#define sem_open mysem_open
#define sem_close mysem_close
#define sem_unlink mysem_unlink
#define sem_wait mysem_wait
#define sem_trywait mysem_trywait
#define sem_post mysem_post
#define sem_getvalue mysem_getvalue

#endif
