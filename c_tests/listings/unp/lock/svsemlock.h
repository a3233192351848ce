/*
 * UNP vol. 2, figure 11.7: a lock by a System V semaphore with SEM_UNDO. Making the set and giving it its value are two
 * steps: who finds the set already there waits until its otime tells of the maker's first operation.
 */
#ifndef SVSEMLOCK_H
#define SVSEMLOCK_H

#include "../../listing.h"
#include <sys/sem.h>

/* In the current directory; the book's is in /tmp, where others meet it too. */
#define LOCK_PATH "svsemlock"
#define MAX_TRIES 10

static void operate(int semid, short how)
{
    struct sembuf operation = {.sem_num = 0, .sem_op = how, .sem_flg = SEM_UNDO};

    if (semop(semid, &operation, 1) == -1)
        err_sys("semop error");
}

/* SETVAL leaves otime alone, the operation sets it. Without SEM_UNDO: the lock is to outlive its maker. */
static void initialise(int semid)
{
    struct sembuf post = {.sem_num = 0, .sem_op = 1, .sem_flg = 0};

    if (semctl(semid, 0, SETVAL, 0) == -1)
        err_sys("semctl error");
    if (semop(semid, &post, 1) == -1)
        err_sys("semop error");
}

/* `too_early` is told of each look that came before the maker was done. */
static int open_lock(void (*too_early)(void))
{
    struct semid_ds set;
    int semid, tries, fd = open(LOCK_PATH, O_RDWR | O_CREAT, FILE_MODE);
    key_t key;

    if (fd == -1)
        err_sys("open error for %s", LOCK_PATH);
    close(fd);
    key = key_of(LOCK_PATH, 0);
    semid = semget(key, 1, IPC_CREAT | IPC_EXCL | SVSEM_MODE);
    if (semid >= 0) {
        initialise(semid);
        return semid;
    }
    if (errno != EEXIST)
        err_sys("semget error");
    semid = semget(key, 1, SVSEM_MODE);
    if (semid == -1)
        err_sys("semget error");
    for (tries = 0; tries < MAX_TRIES; tries++) {
        if (semctl(semid, 0, IPC_STAT, &set) == -1)
            err_sys("semctl error");
        if (set.sem_otime != 0)
            return semid;
        too_early();
        sleep(1);
    }
    err_quit("semget OK, but semaphore not initialized");
}

#endif
