/* UNP vol. 2, chapter 13: what the programs for shared memory objects share. */
#ifndef PXSHM_H
#define PXSHM_H

#include "../../listing.h"
#include <sys/mman.h>

LISTING_API int open_shm(const char *name, int flags)
{
    int object = shm_open(name, flags, FILE_MODE);

    if (object == -1)
        err_sys("shm_open error for %s", name);
    return object;
}

LISTING_API void resize(int object, off_t size)
{
    if (ftruncate(object, size) == -1)
        err_sys("ftruncate error");
}

LISTING_API size_t size_of(int object)
{
    struct stat status;

    if (fstat(object, &status) == -1)
        err_sys("fstat error");
    return (size_t)status.st_size;
}

LISTING_API void *mapped(int object, size_t size, int protection)
{
    void *memory = mmap(NULL, size, protection, MAP_SHARED, object, 0);

    if (memory == MAP_FAILED)
        err_sys("mmap error");
    return memory;
}

LISTING_API void *map_for_writing(int object, size_t size) { return mapped(object, size, PROT_READ | PROT_WRITE); }

/* A new one of a name that is used in the book's way, mapped; an old one of the name goes. */
LISTING_API void *new_shm(const char *name, size_t size)
{
    const char *path = px_ipc_name(name);
    void *memory;
    int object;

    shm_unlink(path);
    object = open_shm(path, O_RDWR | O_CREAT | O_EXCL);
    resize(object, (off_t)size);
    memory = map_for_writing(object, size);
    close(object);
    return memory;
}

LISTING_API void *old_shm(const char *name, size_t size)
{
    int object = open_shm(px_ipc_name(name), O_RDWR);
    void *memory = map_for_writing(object, size);

    close(object);
    return memory;
}

#endif
