/* TLPI 53, listing 53-2: psem_unlink sem-name: removes a semaphore's name. */
#include "listing.h"
#include <semaphore.h>

int main(int argc, char **argv)
{
    if (argc != 2)
        usage(argv[0], "sem-name");
    if (sem_unlink(argv[1]) == -1)
        fail_in("sem_unlink");
    return 0;
}
