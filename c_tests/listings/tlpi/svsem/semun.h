/* TLPI 47, listing 47-2: the fourth argument of semctl(2), which the program has to declare. */
#ifndef SEMUN_H
#define SEMUN_H

#include "listing.h"
#include <sys/sem.h>

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *__buf;
};

#endif
