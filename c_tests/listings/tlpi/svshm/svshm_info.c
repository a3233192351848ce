/* TLPI 48, supplement: svshm_info: SHM_INFO, what all segments take together, in pages. */
#include "listing.h"
#include <sys/shm.h>

int main(void)
{
    struct shm_info info;
    int highest = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);

    if (highest == -1)
        fail_in("shmctl");
    printf("Maximum ID index = %d\n", highest);
    printf("shm_tot          = %ld\n", (long)info.shm_tot);
    printf("shm_rss          = %ld\n", (long)info.shm_rss);
    printf("shm_swp          = %ld\n", (long)info.shm_swp);
    printf("swap_attempts    = %ld\n", (long)info.swap_attempts);
    printf("swap_successes   = %ld\n", (long)info.swap_successes);
    printf("used_ids         = %d\n", info.used_ids);
    return 0;
}
