/* TLPI 48, solution of exercise 48-4: svshm_mon shmid: what IPC_STAT says of a segment. */
#include "listing.h"
#include <sys/shm.h>
#include <time.h>

int main(int argc, char **argv)
{
    struct shmid_ds segment;

    if (argc != 2)
        usage(argv[0], "shmid");
    if (shmctl(number(argv[1], 10, "shmid"), IPC_STAT, &segment) == -1)
        fail_in("shmctl");
    printf("Size:                      %zu\n", segment.shm_segsz);
    printf("# of attached processes:   %lu\n", (unsigned long)segment.shm_nattch);
    printf("Mode:                      %lo", (unsigned long)segment.shm_perm.mode);
    printf("%s", segment.shm_perm.mode & SHM_DEST ? " [DEST]" : "");
    printf("%s\n", segment.shm_perm.mode & SHM_LOCKED ? " [LOCKED]" : "");
    printf("Last shmat():              %s", ctime(&segment.shm_atime));
    printf("Last shmdt():              %s", ctime(&segment.shm_dtime));
    printf("Last change:               %s", ctime(&segment.shm_ctime));
    printf("Creator PID:               %ld\n", (long)segment.shm_cpid);
    printf("PID of last attach/detach: %ld\n", (long)segment.shm_lpid);
    return 0;
}
