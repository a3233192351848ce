/* TLPI 48, listing 48-2: svshm_xfr_writer < file: hands its input over block by block, through a segment, in turns kept by two semaphores. */
#include "svshm_xfr.h"

int main(void)
{
    union semun unused = {.val = 0};
    int semid, shmid, bytes = 0, transfers = 0;
    struct block *block;

    semid = semget(SEM_KEY, 2, IPC_CREAT | OBJ_PERMS);
    if (semid == -1)
        fail_in("semget");
    if (initSemAvailable(semid, WRITE_SEM) == -1)
        fail_in("initSemAvailable");
    if (initSemInUse(semid, READ_SEM) == -1)
        fail_in("initSemInUse");
    shmid = shmget(SHM_KEY, sizeof *block, IPC_CREAT | OBJ_PERMS);
    if (shmid == -1)
        fail_in("shmget");
    block = shmat(shmid, NULL, 0);
    if (block == (void *)-1)
        fail_in("shmat");
    for (;; transfers++) {
        reserve(semid, WRITE_SEM);
        block->count = (int)read(STDIN_FILENO, block->bytes, sizeof block->bytes);
        if (block->count == -1)
            fail_in("read");
        bytes += block->count;
        release(semid, READ_SEM);
        if (block->count == 0)
            break;
    }
    /* The reader has had the end. */
    reserve(semid, WRITE_SEM);
    if (semctl(semid, 0, IPC_RMID, unused) == -1)
        fail_in("semctl");
    if (shmdt(block) == -1)
        fail_in("shmdt");
    if (shmctl(shmid, IPC_RMID, NULL) == -1)
        fail_in("shmctl");
    fprintf(stderr, "Sent %d bytes (%d xfrs)\n", bytes, transfers);
    return 0;
}
