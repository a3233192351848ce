/* TLPI 53, listing 53-4: psem_post sem-name: adds one to a semaphore. */
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
    if (sem_post(semaphore) == -1)
        fail_in("sem_post");
    return 0;
}
