/* UNP vol. 2, chapter 13: the shared memory through which clients send messages to server2. */
#ifndef CLISERV2_H
#define CLISERV2_H

#include "pxshm.h"
#include <semaphore.h>

#define MESSAGE_SIZE 256
#define MESSAGES 16

struct shared {
    sem_t mutex, empty, stored;
    int put; /* the next message is written there */
    long overflows;
    sem_t overflow_mutex;
    char text[MESSAGES][MESSAGE_SIZE];
};

LISTING_API void take(sem_t *sem)
{
    if (sem_wait(sem) == -1)
        err_sys("sem_wait error");
}

LISTING_API void give(sem_t *sem)
{
    if (sem_post(sem) == -1)
        err_sys("sem_post error");
}

#endif
