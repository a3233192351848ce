/* TLPI 48, supplement: svshm_lock [shmid...]: locks segments into memory, and sleeps for five seconds. */
#include "listing.h"
#include <sys/shm.h>

int main(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++)
        if (shmctl(number(argv[i], 10, "shmid"), SHM_LOCK, NULL) == -1)
            fail_in("shmctl");
    sleep(5);
    return 0;
}
