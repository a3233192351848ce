/* TLPI 47, listing 47-10: semaphores that are available (1) or in use (0). */
#include "binary_sems.h"
#include "semun.h"

bool bsUseSemUndo = false;
bool bsRetryOnEintr = true;

static int set(int id, int index, int value)
{
    union semun arg = {.val = value};

    return semctl(id, index, SETVAL, arg);
}

int initSemAvailable(int id, int index) { return set(id, index, 1); }
int initSemInUse(int id, int index) { return set(id, index, 0); }

static int add(int id, int index, short difference)
{
    struct sembuf step = {(unsigned short)index, difference, bsUseSemUndo ? SEM_UNDO : 0};

    return semop(id, &step, 1);
}

int reserveSem(int id, int index)
{
    int done;

    do
        done = add(id, index, -1);
    while (done == -1 && errno == EINTR && bsRetryOnEintr);
    return done;
}

int releaseSem(int id, int index) { return add(id, index, 1); }
