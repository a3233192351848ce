/* TLPI 48, supplement: svshm_unlock [shmid...]: lets locked segments be swapped again. */
#include "listing.h"
#include <sys/shm.h>

int main(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++)
        if (shmctl(number(argv[i], 10, "shmid"), SHM_UNLOCK, NULL) == -1)
            fail_in("shmctl");
    return 0;
}
