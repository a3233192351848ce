/* TLPI 53, listing 53-3: psem_wait sem-name: takes one from a semaphore, waits for it. */
#include "listing.h"
#include <semaphore.h>

int main(int argc, char **argv)
{
    sem_t *semaphore;

    if (argc != 2)
        usage(argv[0], "sem-name");
    semaphore = sem_open(argv[1], 0);
    if (semaphore == SEM_FAILED)
        fail_in("sem_open");
    if (sem_wait(semaphore) == -1)
        fail_in("sem_wait");
    printf("%ld sem_wait() succeeded\n", (long)getpid());
    return 0;
}
