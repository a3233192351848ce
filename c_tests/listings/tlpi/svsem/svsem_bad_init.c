/*
 * TLPI 47, listing 47-5: svsem_bad_init: makes or finds a semaphore and adds 1 to it. Wrong as the book says: between
 * semget and SETVAL another process may already have used it.
 */
#include "semun.h"

int main(void)
{
    struct sembuf add = {.sem_op = 1};
    union semun arg = {.val = 0};
    int id = semget(12345, 1, IPC_CREAT | IPC_EXCL | S_IRUSR | S_IWUSR);

    if (id != -1) {
        if (semctl(id, 0, SETVAL, arg) == -1)
            fail_in("semctl");
    } else {
        if (errno != EEXIST)
            fail_in("semget 1");
        id = semget(12345, 1, S_IRUSR | S_IWUSR);
        if (id == -1)
            fail_in("semget 2");
    }
    if (semop(id, &add, 1) == -1)
        fail_in("semop");
    return 0;
}
