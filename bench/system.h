#ifndef SYSTEM_H
#define SYSTEM_H

#include "bench.h"
#include <sys/ipc.h>
#include <sys/sem.h>

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};

void set_msgmnb(unsigned long bytes);

extern const struct scene system_scenes[];

#endif
