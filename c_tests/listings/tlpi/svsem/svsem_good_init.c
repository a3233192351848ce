/*
 * TLPI 47, listing 47-6: svsem_good_init sem-op: the right way. Who makes the semaphore gives it its value, and then
 * the time of a first semop; whoever finds it waits for that time.
 */
#include "semun.h"

#define MOST_TRIES 10

static void initialise(int id)
{
    struct sembuf nothing = {.sem_op = 0};
    union semun arg = {.val = 0};

    printf("%ld: created semaphore\n", (long)getpid());
    /* Long enough for others to come in between. */
    sleep(5);
    if (semctl(id, 0, SETVAL, arg) == -1)
        fail_in("semctl 1");
    printf("%ld: initialized semaphore\n", (long)getpid());
    if (semop(id, &nothing, 1) == -1)
        fail_in("semop 1");
    printf("%ld: completed dummy semop()\n", (long)getpid());
}

static int find(key_t key)
{
    int id = semget(key, 1, S_IRUSR | S_IWUSR), i;
    struct semid_ds set;
    union semun arg = {.buf = &set};

    if (id == -1)
        fail_in("semget 2");
    printf("%ld: got semaphore key\n", (long)getpid());
    for (i = 0; i < MOST_TRIES; i++) {
        if (semctl(id, 0, IPC_STAT, arg) == -1)
            fail_in("semctl 2");
        if (set.sem_otime != 0)
            return id;
        sleep(1);
    }
    fatal("Existing semaphore not initialized");
}

int main(int argc, char **argv)
{
    struct sembuf step = {.sem_op = 0};
    key_t key = 12345;
    int id;

    if (argc != 2)
        usage(argv[0], "sem-op");
    id = semget(key, 1, IPC_CREAT | IPC_EXCL | S_IRUSR | S_IWUSR);
    if (id != -1)
        initialise(id);
    else if (errno != EEXIST)
        fail_in("semget 1");
    else
        id = find(key);
    step.sem_op = (short)number(argv[1], 10, "sem-op");
    if (semop(id, &step, 1) == -1)
        fail_in("semop 2");
    printf("%ld: semop() succeeded\n", (long)getpid());
    return 0;
}
