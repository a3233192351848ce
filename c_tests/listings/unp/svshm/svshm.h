/* UNP vol. 2, chapter 14: what the programs for segments share. */
#ifndef SVSHM_H
#define SVSHM_H

#include "../../listing.h"
#include <sys/shm.h>

LISTING_API int get_segment(const char *path)
{
    int segment = shmget(key_of(path, 0), 0, SVSHM_MODE);

    if (segment == -1)
        err_sys("shmget error");
    return segment;
}

LISTING_API unsigned char *attached(int segment)
{
    void *memory = shmat(segment, NULL, 0);

    if (memory == (void *)-1)
        err_sys("shmat error");
    return memory;
}

LISTING_API size_t size_of(int segment)
{
    struct shmid_ds status;

    if (shmctl(segment, IPC_STAT, &status) == -1)
        err_sys("shmctl error");
    return status.shm_segsz;
}

/* Says which bytes are not what shmwrite has written. */
LISTING_API void look_through(int segment)
{
    unsigned char *memory = attached(segment);
    size_t i, size = size_of(segment);

    for (i = 0; i < size; i++)
        if (memory[i] != i % 256)
            err_msg("ptr[%zu] = %d", i, memory[i]);
}

#endif
