/* TLPI 48, listing 48-1: what svshm_xfr_writer and svshm_xfr_reader share. */
#ifndef SVSHM_XFR_H
#define SVSHM_XFR_H

#include "../svsem/binary_sems.h"
#include "../svsem/semun.h"
#include <sys/shm.h>

#define SHM_KEY 0x1234
#define SEM_KEY 0x5678
#define OBJ_PERMS (S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP)

/* Whose turn it is. */
enum { WRITE_SEM, READ_SEM };

struct block {
    int count; /* of bytes; 0: there are no more */
    char bytes[1024];
};

LISTING_API void reserve(int id, int index)
{
    if (reserveSem(id, index) == -1)
        fail_in("reserveSem");
}

LISTING_API void release(int id, int index)
{
    if (releaseSem(id, index) == -1)
        fail_in("releaseSem");
}

#endif
