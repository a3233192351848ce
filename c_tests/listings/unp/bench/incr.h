/*
 * UNP vol. 2, appendix A: what the incr_* programs share. Threads or processes add one to a counter, each time holding
 * a lock; the program prints how long all of it took, and the counter if it came out wrong.
 */
#ifndef INCR_H
#define INCR_H

#include "bench.h"
#include <pthread.h>
#include <semaphore.h>

#define MAX_WORKERS 100

struct lock {
    void (*make)(void); /* taken */
    void (*join)(void); /* in each child, or NULL */
    void (*take)(void);
    void (*give)(void);
    void (*end)(void); /* or NULL */
};

static const struct lock *the_lock;
static long *counter, loops;
static int workers;

static void prepare(const char *program, const char *kind, int argc, char **argv, const struct lock *lock)
{
    if (argc != 3)
        err_quit("usage: %s <#loops> <#%s>", program, kind);
    loops = atol(argv[1]);
    workers = atoi(argv[2]) < MAX_WORKERS ? atoi(argv[2]) : MAX_WORKERS;
    counter = shared_memory(sizeof *counter);
    the_lock = lock;
    lock->make();
}

static void *increment(void *unused)
{
    long i;

    for (i = 0; i < loops; i++) {
        the_lock->take();
        ++*counter;
        the_lock->give();
    }
    return unused;
}

/* Starts the watch and the workers, who wait for the lock. */
static void go(void)
{
    start_time();
    the_lock->give();
}

static int result(void)
{
    printf("microseconds: %.0f usec\n", stop_time());
    if (*counter != loops * workers)
        printf("error: counter = %ld\n", *counter);
    if (the_lock->end)
        the_lock->end();
    return 0;
}

LISTING_API int incr_threads(const char *program, int argc, char **argv, const struct lock *lock)
{
    pthread_t threads[MAX_WORKERS];
    int i;

    prepare(program, "threads", argc, argv, lock);
    for (i = 0; i < workers; i++)
        if ((errno = pthread_create(&threads[i], NULL, increment, NULL)) != 0)
            err_sys("pthread_create error");
    go();
    for (i = 0; i < workers; i++)
        pthread_join(threads[i], NULL);
    return result();
}

LISTING_API int incr_processes(const char *program, int argc, char **argv, const struct lock *lock)
{
    pid_t children[MAX_WORKERS];
    int i;

    prepare(program, "processes", argc, argv, lock);
    for (i = 0; i < workers; i++)
        if ((children[i] = fork_child()) == 0) {
            if (lock->join)
                lock->join();
            increment(NULL);
            exit(0);
        }
    go();
    for (i = 0; i < workers; i++)
        wait_for(children[i]);
    return result();
}

#endif
