/* What the scenarios of semaphore sets share. */
#ifndef SEM_H
#define SEM_H

#include "points.h"
#include <sys/ipc.h>
#include <sys/sem.h>

enum { KEY = 0x5e01, SEMS = 3, NEW_MODE = 0640 };

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *info;
};

static const unsigned short first_values[SEMS] = {2, 0, 5};
static int set, names;

static inline int operate(int sem, int change, int flags)
{
    struct sembuf op = {(unsigned short)sem, (short)change, (short)flags};

    return semop(set, &op, 1);
}

static inline int make(int flags)
{
    int id = semget(KEY, SEMS, IPC_CREAT | flags | 0600);

    if (id != -1)
        need(semctl(id, 0, SETALL, (union semun){.array = (unsigned short *)first_values}) == 0, "SETALL");
    return id;
}

static inline void prepare(void)
{
    names = count_in("sem");
    set = make(IPC_EXCL);
    need(set != -1, "semget");
}

static inline int value(int sem) { return semctl(set, sem, GETVAL); }

/* That the values are these, of which -1 is not looked at. */
static inline void expect_values(int a, int b, int c)
{
    int wanted[SEMS] = {a, b, c}, i;
    unsigned short all[SEMS] = {0};

    expect(semctl(set, 0, GETALL, (union semun){.array = all}) == 0, "GETALL: %s", strerror(errno));
    for (i = 0; i < SEMS; i++)
        expect(wanted[i] == -1 || (wanted[i] == all[i] && wanted[i] == value(i)), "semaphore %d is %d by GETALL, %d by GETVAL, not %d",
               i, all[i], value(i), wanted[i]);
}

/* Nobody waits, every semaphore can be used, and nothing that the dead have done comes later. */
static inline void expect_usable(void)
{
    struct sembuf all[SEMS] = {{0, -1, 0}, {1, -1, 0}, {2, -1, 0}};
    int i;

    for (i = 0; i < SEMS; i++) {
        expect(semctl(set, i, GETNCNT) == 0 && semctl(set, i, GETZCNT) == 0, "%d and %d wait for semaphore %d",
               semctl(set, i, GETNCNT), semctl(set, i, GETZCNT), i);
        expect(semctl(set, i, SETVAL, (union semun){.val = i}) == 0, "SETVAL: %s", strerror(errno));
        expect(operate(i, 1, SEM_UNDO) == 0 && operate(i, -1, SEM_UNDO) == 0 && operate(i, 1, 0) == 0, "semop: %s", strerror(errno));
    }
    expect(semop(set, all, SEMS) == 0, "semop: %s", strerror(errno));
    expect_values(0, 1, 2);
}

static inline void look_at_all(void)
{
    struct semid_ds status;
    struct seminfo info;
    int index;

    for (index = semctl(0, 0, SEM_INFO, (union semun){.info = &info}); index >= 0; index--)
        semctl(index, 0, SEM_STAT, (union semun){.buf = &status});
}

static inline void clear(void)
{
    look_at_all();
    expect(semget(KEY, 0, 0) == set, "the key leads elsewhere");
    expect(semctl(set, 0, IPC_RMID) == 0, "IPC_RMID: %s", strerror(errno));
    expect(semget(KEY, 0, 0) == -1 && errno == ENOENT, "the key leads somewhere after IPC_RMID");
    expect(count_in("sem") == names, "%d sets are left", count_in("sem") - names);
}

static inline void look(void)
{
    unsigned short all[SEMS];

    semctl(set, 0, GETALL, (union semun){.array = all});
}

static inline int check_undone(int ended)
{
    (void)ended;
    expect_values(2, 0, 5);
    expect_usable();
    return 0;
}

/* A sleeper who wants a unit of semaphore 1. */
static inline void take_one(struct note *note)
{
    note->result = operate(1, -1, 0);
    note->error = errno;
}

static inline void prepare_taker(void)
{
    prepare();
    start_sleeper(0, take_one);
}

#endif
