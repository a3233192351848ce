/*
 * UNP vol. 2, chapter 12: what the incr programs share. Parent and child count under a semaphore and print what
 * they find; the programs differ in where the counter is.
 */
#ifndef INCR_H
#define INCR_H

#include "../../listing.h"
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* Known by its mapping alone: the name goes at once. */
LISTING_API sem_t *nameless_semaphore(void)
{
    sem_t *sem = sem_open(px_ipc_name("mysem"), O_CREAT | O_EXCL, FILE_MODE, 1);

    if (sem == SEM_FAILED)
        err_sys("sem_open error for %s", px_ipc_name("mysem"));
    if (sem_unlink(px_ipc_name("mysem")) == -1)
        err_sys("sem_unlink error");
    return sem;
}

/* A file that was made if need be, and holds `size` zero bytes from its start. */
LISTING_API int zeroed_file(const char *path, size_t size)
{
    static const char zeros[256];
    int fd = open(path, O_RDWR | O_CREAT, FILE_MODE);

    if (fd == -1)
        err_sys("open error for %s", path);
    if (size > sizeof zeros || write(fd, zeros, size) != (ssize_t)size)
        err_sys("write error");
    return fd;
}

/* Maps the start of fd, which is closed if it is one. */
LISTING_API void *mapped(int fd, size_t size, int flags)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

    if (memory == MAP_FAILED)
        err_sys("mmap error");
    if (fd != -1)
        close(fd);
    return memory;
}

static void count(const char *who, sem_t *sem, int *counter, int loops)
{
    int i;

    for (i = 0; i < loops; i++) {
        if (sem_wait(sem) == -1)
            err_sys("sem_wait error");
        printf("%s: %d\n", who, (*counter)++);
        if (sem_post(sem) == -1)
            err_sys("sem_post error");
    }
}

/* Returns in neither. Their lines come out as they are printed. */
__attribute__((noreturn)) LISTING_API void parent_and_child(sem_t *sem, int *counter, int loops)
{
    pid_t child;

    setbuf(stdout, NULL);
    child = fork();
    if (child == -1)
        err_sys("fork error");
    count(child == 0 ? "child" : "parent", sem, counter, loops);
    exit(0);
}

#endif
