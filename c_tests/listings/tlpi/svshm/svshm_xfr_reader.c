/* TLPI 48, listing 48-3: svshm_xfr_reader > file: writes what svshm_xfr_writer hands over. */
#include "svshm_xfr.h"

int main(void)
{
    int semid, shmid, bytes = 0, transfers = 0;
    struct block *block;

    semid = semget(SEM_KEY, 0, 0);
    if (semid == -1)
        fail_in("semget");
    shmid = shmget(SHM_KEY, 0, 0);
    if (shmid == -1)
        fail_in("shmget");
    block = shmat(shmid, NULL, SHM_RDONLY);
    if (block == (void *)-1)
        fail_in("shmat");
    for (;; transfers++) {
        reserve(semid, READ_SEM);
        if (block->count == 0)
            break;
        bytes += block->count;
        if (write(STDOUT_FILENO, block->bytes, (size_t)block->count) != block->count)
            fatal("partial/failed write");
        release(semid, WRITE_SEM);
    }
    if (shmdt(block) == -1)
        fail_in("shmdt");
    /* Once more the writer's turn. */
    release(semid, WRITE_SEM);
    fprintf(stderr, "Received %d bytes (%d xfrs)\n", bytes, transfers);
    return 0;
}
