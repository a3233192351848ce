/* UNP vol. 2, chapter 11: what the programs for whole sets share. */
#ifndef SVSEM_H
#define SVSEM_H

#include "../../listing.h"
#include <sys/sem.h>

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};

LISTING_API int get_set(const char *path)
{
    int set = semget(key_of(path, 0), 0, 0);

    if (set == -1)
        err_sys("semget error");
    return set;
}

/* How many semaphores it has. */
LISTING_API int size_of(int set)
{
    struct semid_ds status;

    if (semctl(set, 0, IPC_STAT, (union semun){.buf = &status}) == -1)
        err_sys("semctl error");
    return (int)status.sem_nsems;
}

LISTING_API void *room(int count, size_t size)
{
    void *memory = calloc(count > 0 ? (size_t)count : 1, size);

    if (!memory)
        err_sys("calloc error");
    return memory;
}

/* An operation on each semaphore, from words. */
LISTING_API void operate(int set, int count, char **words, int flags)
{
    struct sembuf *operations = room(count, sizeof *operations);
    int i;

    for (i = 0; i < count; i++)
        operations[i] = (struct sembuf){(unsigned short)i, (short)atoi(words[i]), (short)flags};
    if (semop(set, operations, (size_t)count) == -1)
        err_sys("semop error");
}

/*
 * [ -n ] [ -u ] before what says which set and at least one operation. The words from there on are not options, though
 * glibc would take a negative operation for one.
 */
LISTING_API int operation_flags(int argc, char **argv)
{
    int option, flags = 0;

    while ((option = getopt(argc, argv, "+nu")) != -1)
        switch (option) {
        case 'n': flags |= IPC_NOWAIT; break;
        case 'u': flags |= SEM_UNDO; break;
        default: exit(1);
        }
    return flags;
}

#endif
