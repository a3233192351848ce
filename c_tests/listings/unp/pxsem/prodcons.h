/* UNP vol. 2, chapter 10: a buffer of a few places; producers put item i at place i, consumers look whether it is there. */
#ifndef PRODCONS_H
#define PRODCONS_H

#include "pxsem.h"
#include <pthread.h>

#define BUFFERS 10
#define MAX_THREADS 100

static struct {
    int buffer[BUFFERS];
    int put, put_value; /* the next place and what goes there */
    int get, get_value;
    sem_t *mutex, *empty, *stored;
} shared;

static int items;

LISTING_API int least(int a, int b) { return a < b ? a : b; }

LISTING_API pthread_t start(void *(*run)(void *), void *argument)
{
    pthread_t thread;

    if ((errno = pthread_create(&thread, NULL, run, argument)) != 0)
        err_sys("pthread_create error");
    return thread;
}

LISTING_API void join(pthread_t thread)
{
    if ((errno = pthread_join(thread, NULL)) != 0)
        err_sys("pthread_join error");
}

/* Unnamed semaphores. */
LISTING_API void init_unnamed(void)
{
    static sem_t sems[3];

    init_sem(shared.mutex = &sems[0], 1);
    init_sem(shared.empty = &sems[1], BUFFERS);
    init_sem(shared.stored = &sems[2], 0);
}

LISTING_API void destroy_unnamed(void)
{
    sem_destroy(shared.mutex);
    sem_destroy(shared.empty);
    sem_destroy(shared.stored);
}

LISTING_API void create_named(void)
{
    shared.mutex = create_sem("mutex", 1);
    shared.empty = create_sem("nempty", BUFFERS);
    shared.stored = create_sem("nstored", 0);
}

LISTING_API void unlink_named(void)
{
    unlink_sem("mutex");
    unlink_sem("nempty");
    unlink_sem("nstored");
}

/* One producer and one consumer: the places go by the number of the item. */
LISTING_API void *produce(void *argument)
{
    for (int i = 0; i < items; i++) {
        take(shared.empty);
        take(shared.mutex);
        shared.buffer[i % BUFFERS] = i;
        give(shared.mutex);
        give(shared.stored);
    }
    return argument;
}

LISTING_API void check(int place, int expected)
{
    if (shared.buffer[place] != expected)
        printf("buff[%d] = %d\n", place, shared.buffer[place]);
}

LISTING_API void *consume(void *argument)
{
    for (int i = 0; i < items; i++) {
        take(shared.stored);
        take(shared.mutex);
        check(i % BUFFERS, i);
        give(shared.mutex);
        give(shared.empty);
    }
    return argument;
}

/* Several producers: whoever comes puts the next item, until there are all; each counts its own. */
LISTING_API void *produce_next(void *count)
{
    for (;;) {
        take(shared.empty);
        take(shared.mutex);
        if (shared.put >= items) {
            give(shared.empty);
            give(shared.mutex);
            return NULL;
        }
        shared.buffer[shared.put++ % BUFFERS] = shared.put_value++;
        give(shared.mutex);
        give(shared.stored);
        ++*(int *)count;
    }
}

#endif
