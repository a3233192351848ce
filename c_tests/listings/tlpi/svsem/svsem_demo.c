/*
 * TLPI 47, listing 47-1: svsem_demo init-value, or svsem_demo semid operation: makes a set of one semaphore of that
 * value and prints its id, or does one operation and waits for it.
 */
#include "clock_time.h"
#include "semun.h"

static void create(const char *value)
{
    union semun arg = {.val = number(value, 10, "init-value")};
    int id = semget(IPC_PRIVATE, 1, S_IRUSR | S_IWUSR);

    if (id == -1)
        fail_in("semid");
    if (semctl(id, 0, SETVAL, arg) == -1)
        fail_in("semctl");
    printf("Semaphore ID = %d\n", id);
}

static void operate(const char *set, const char *operation)
{
    int id = number(set, 10, "semid");
    struct sembuf step = {.sem_op = (short)number(operation, 10, "operation")};

    printf("%ld: about to semop at  %s\n", (long)getpid(), clock_time());
    if (semop(id, &step, 1) == -1)
        fail_in("semop");
    printf("%ld: semop completed at %s\n", (long)getpid(), clock_time());
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 3)
        usage(argv[0], "init-value\n   or: svsem_demo semid operation");
    if (argc == 2)
        create(argv[1]);
    else
        operate(argv[1], argv[2]);
    return 0;
}
