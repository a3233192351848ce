/* TLPI 47, listing 47-3: svsem_mon semid: the times of a set, and each semaphore's value, last pid and waiters. */
#include "semun.h"
#include <time.h>

static int of(int id, int index, int command)
{
    int value = semctl(id, index, command);

    if (value == -1)
        fail_in("semctl");
    return value;
}

int main(int argc, char **argv)
{
    struct semid_ds set;
    union semun arg = {.buf = &set};
    unsigned long i;
    int id;

    if (argc != 2)
        usage(argv[0], "semid");
    id = number(argv[1], 10, "semid");
    if (semctl(id, 0, IPC_STAT, arg) == -1)
        fail_in("semctl");
    printf("Semaphore changed: %s", ctime(&set.sem_ctime));
    printf("Last semop():      %s", ctime(&set.sem_otime));
    arg.array = calloc(set.sem_nsems, sizeof *arg.array);
    if (!arg.array)
        fail_in("calloc");
    if (semctl(id, 0, GETALL, arg) == -1)
        fail_in("semctl-GETALL");
    printf("Sem #  Value  SEMPID  SEMNCNT  SEMZCNT\n");
    for (i = 0; i < set.sem_nsems; i++)
        printf("%3lu   %5d   %5d  %5d    %5d\n", i, arg.array[i], of(id, (int)i, GETPID), of(id, (int)i, GETNCNT),
               of(id, (int)i, GETZCNT));
    free(arg.array);
    return 0;
}
