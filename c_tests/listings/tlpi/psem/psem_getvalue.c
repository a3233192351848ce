/* TLPI 53, listing 53-5: psem_getvalue sem-name: a semaphore's value. */
#include "listing.h"
#include <semaphore.h>

int main(int argc, char **argv)
{
    sem_t *semaphore;
    int value;

    if (argc != 2)
        usage(argv[0], "sem-name");
    semaphore = sem_open(argv[1], 0);
    if (semaphore == SEM_FAILED)
        fail_in("sem_open");
    if (sem_getvalue(semaphore, &value) == -1)
        fail_in("sem_getvalue");
    printf("%d\n", value);
    return 0;
}
