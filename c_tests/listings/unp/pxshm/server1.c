/* UNP vol. 2, chapter 13, server1 <shmname> <semname>: makes a counter in shared memory and a semaphore for it, and ends. */
#include "pxshm.h"
#include <semaphore.h>

int main(int argc, char **argv)
{
    const char *path;
    sem_t *mutex;

    if (argc != 3)
        err_quit("usage: server1 <shmname> <semname>");
    new_shm(argv[1], sizeof(int));
    path = px_ipc_name(argv[2]);
    sem_unlink(path);
    mutex = sem_open(path, O_CREAT | O_EXCL, FILE_MODE, 1);
    if (mutex == SEM_FAILED)
        err_sys("sem_open error for %s", path);
    if (sem_close(mutex) == -1)
        err_sys("sem_close error");
    return 0;
}
