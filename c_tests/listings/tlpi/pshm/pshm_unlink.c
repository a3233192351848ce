/* TLPI 54, listing 54-4: pshm_unlink shm-name: removes an object's name. */
#include "listing.h"
#include <sys/mman.h>

int main(int argc, char **argv)
{
    if (argc != 2)
        usage(argv[0], "shm-name");
    if (shm_unlink(argv[1]) == -1)
        fail_in("shm_unlink");
    return 0;
}
