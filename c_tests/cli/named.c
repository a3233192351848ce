/* named NAME VALUE BYTES [wait]: makes a semaphore and a shared memory object of that name; with the word
 * "wait" at the end waits for the semaphore. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    sem_t *sem;
    int memory;

    if (argc < 4)
        return 2;
    sem = sem_open(argv[1], O_CREAT, 0640, (unsigned)atoi(argv[2]));
    memory = shm_open(argv[1], O_CREAT | O_RDWR, 0600);
    if (sem == SEM_FAILED || memory == -1 || ftruncate(memory, atol(argv[3])) == -1) {
        perror("named");
        return 1;
    }
    return argc > 4 ? sem_wait(sem) : 0;
}
