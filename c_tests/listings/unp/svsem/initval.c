/* UNP vol. 2, chapter 11, initval: a thousand times a set is made, looked at and filled: on Linux a new one is all zeros. */
#include "svsem.h"

#define SETS 1000
#define SEMAPHORES 10
/* The book's values go up to RAND_MAX, for which Linux has ERANGE. */
#define SEMVMX 32767

int main(void)
{
    unsigned short values[SEMAPHORES];
    int turn, set, i;

    for (turn = 0; turn < SETS; turn++) {
        set = semget(100, SEMAPHORES, SVSEM_MODE | IPC_CREAT);
        if (set == -1)
            err_sys("semget error");
        if (semctl(set, 0, GETALL, (union semun){.array = values}) == -1)
            err_sys("semctl error");
        for (i = 0; i < SEMAPHORES; i++) {
            printf("%d%s", values[i], i < SEMAPHORES - 1 ? " " : "\n");
            values[i] = (unsigned short)(rand() & SEMVMX);
        }
        if (semctl(set, 0, SETALL, (union semun){.array = values}) == -1 || semctl(set, 0, IPC_RMID) == -1)
            err_sys("semctl error");
    }
    return 0;
}
