/* UNP vol. 2, appendix A: the lock of the incr_svsem* programs is a System V semaphore, with `UNDO` defined one that is undone at exit. */
#ifndef INCR_SVSEM_H
#define INCR_SVSEM_H

#include "incr.h"
#include <sys/sem.h>

#ifndef UNDO
#define UNDO 0
#endif

static int semid;

static void operate(short how)
{
    struct sembuf operation = {.sem_num = 0, .sem_op = how, .sem_flg = UNDO};

    if (semop(semid, &operation, 1) == -1)
        err_sys("semop error");
}

/* Its value is 0, which is also what SETVAL would have to say. */
static void make(void)
{
    semid = semget(IPC_PRIVATE, 1, IPC_CREAT | SVSEM_MODE);
    if (semid == -1)
        err_sys("semget error");
    if (semctl(semid, 0, SETVAL, 0) == -1)
        err_sys("semctl error");
}

static void take(void) { operate(-1); }

static void give(void) { operate(1); }

static void end(void) { semctl(semid, 0, IPC_RMID); }

static const struct lock system_v = {make, NULL, take, give, end};

#endif
