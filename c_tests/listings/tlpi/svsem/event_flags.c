/* TLPI 47, solution of exercise 47-5: a flag is set while its semaphore is 0, since any number can wait for that. */
#include "event_flags.h"
#include "semun.h"

static int put(int id, int index, int value)
{
    union semun arg = {.val = value};

    return semctl(id, index, SETVAL, arg);
}

int clearEventFlag(int id, int index) { return put(id, index, 1); }
int setEventFlag(int id, int index) { return put(id, index, 0); }

int waitForEventFlag(int id, int index)
{
    struct sembuf zero = {(unsigned short)index, 0, 0};
    int done;

    do
        done = semop(id, &zero, 1);
    while (done == -1 && errno == EINTR);
    return done;
}

int getFlagState(int id, int index, bool *is_set)
{
    union semun unused = {.val = 0};
    int value = semctl(id, index, GETVAL, unused);

    if (value == -1)
        return -1;
    *is_set = value == 0;
    return 0;
}
