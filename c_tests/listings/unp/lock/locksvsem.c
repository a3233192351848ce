/* UNP vol. 2, figure 11.7: a lock by a System V semaphore, released by SEM_UNDO when its holder dies. */
#include "lock.h"
#include "svsemlock.h"

static int semid = -1;

static void just_wait(void) {}

void my_lock(void)
{
    if (semid == -1)
        semid = open_lock(just_wait);
    operate(semid, -1);
}

void my_unlock(void) { operate(semid, 1); }
