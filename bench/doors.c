/* Semaphores: pairs, and processes that take turns. */
#include "bench.h"

static long set;
static volatile long *guarded; /* what the lock protects */

static void setup_unlocked(void)
{
    set = job.door->make(1);
    job.door->up(set, 0);
    guarded = (volatile long *)shared_memory(sizeof *guarded);
    if (job.scene->place == ONE_CPU)
        spread(0);
}

static void setup_two(void) { set = job.door->make(2); }

static void destroy(void) { job.door->kind->destroy(set, 0); }

static void lock_and_unlock(int who, long n)
{
    (void)who;
    while (n-- > 0) {
        job.door->down(set, 0);
        ++*guarded;
        job.door->up(set, 0);
    }
}

static double pair(long n)
{
    double start = now_ns();

    lock_and_unlock(0, n);
    return (now_ns() - start) / n;
}

static void touch(int who)
{
    (void)who;
    if (job.door->kind->stat)
        job.door->kind->stat(set);
}

static void bat(int who, long n)
{
    while (n-- > 0) {
        if (who == 0)
            job.door->up(set, 0);
        job.door->down(set, who == 0);
        if (who == 1)
            job.door->up(set, 1);
    }
}

static double pingpong(long n) { return together(2, touch, bat, n) / n; }

/* A lock that does not lock is no fast one. */
static double contended(long n)
{
    long each = n / job.number + 1, before = *guarded;
    double spent = together(job.number, touch, lock_and_unlock, each);

    if (*guarded - before != each * job.number)
        die("the lock let two in: %ld of %ld counted", *guarded - before, each * job.number);
    return spent / (each * job.number);
}

const struct scene door_scenes[] = {
    { "pair", NULL, 0, "pair", "down and up in one process", setup_unlocked, pair, destroy, ONE_CPU, 0, 0 },
    { "pingpong-cross", NULL, 0, "round trip", "two processes, two semaphores", setup_two, pingpong, destroy, TWO_CPUS, 0, 2 },
    { "pingpong-same", NULL, 0, "round trip", "two processes, two semaphores", setup_two, pingpong, destroy, ONE_CPU, 0, 2 },
    { "lock", "processes", 2, "pair", "all take and release one lock", setup_unlocked, contended, destroy, TWO_CPUS, 0,
      OF_NUMBER },
    { 0 },
};
