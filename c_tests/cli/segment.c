/* segment KEY BYTES: makes a shared memory segment, attaches it twice, and keeps it until it is killed;
 * with the word "dest" at the end it removes the segment, with "lock" it locks it in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int id, i;

    if (argc < 3)
        return 2;
    id = shmget((key_t)strtol(argv[1], NULL, 0), strtoul(argv[2], NULL, 0), IPC_CREAT | 0640);
    if (id == -1 || shmat(id, NULL, 0) == (void *)-1 || shmat(id, NULL, SHM_RDONLY) == (void *)-1) {
        perror("segment");
        return 1;
    }
    for (i = 3; i < argc; i++)
        if (shmctl(id, strcmp(argv[i], "dest") == 0 ? IPC_RMID : SHM_LOCK, NULL) == -1) {
            perror("segment: shmctl");
            return 1;
        }
    printf("%d\n", id);
    fflush(stdout);
    /* Not for ever, should the test be cut short. */
    alarm(120);
    pause();
    return 0;
}
