/* TLPI 53, supplement: psem_trywait sem-name: takes one from a semaphore if there is one. */
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
    if (sem_trywait(semaphore) == -1)
        fail_in("sem_trywait");
    printf("%ld sem_trywait() succeeded\n", (long)getpid());
    return 0;
}
