/* TLPI 47, listing 47-4: svsem_setall semid value...: gives every semaphore of a set its value at once. */
#include "semun.h"

int main(int argc, char **argv)
{
    struct semid_ds set;
    union semun arg = {.buf = &set};
    int i, id;

    if (argc < 3)
        usage(argv[0], "semid value...");
    id = number(argv[1], 10, "semid");
    if (semctl(id, 0, IPC_STAT, arg) == -1)
        fail_in("semctl");
    if (set.sem_nsems != (unsigned long)argc - 2)
        bad_command_line("Set contains %ld semaphores, but %d values were supplied", (long)set.sem_nsems, argc - 2);
    arg.array = calloc(set.sem_nsems, sizeof *arg.array);
    if (!arg.array)
        fail_in("calloc");
    for (i = 2; i < argc; i++)
        arg.array[i - 2] = (unsigned short)number(argv[i], 10, "value");
    if (semctl(id, 0, SETALL, arg) == -1)
        fail_in("semctl-SETALL");
    printf("Semaphore values changed (PID=%ld)\n", (long)getpid());
    free(arg.array);
    return 0;
}
