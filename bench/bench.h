/*
 * The benchmark's frame. A row is a scene with a number, such as mq-pair:64. Scenes are written once, over
 * kinds of objects (made, found, asked, removed), channels (queues) and doors (semaphores), which
 * system.c makes of plain libc calls and peers/ of other libraries.
 */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PRIVATE = -1, OF_NUMBER = -1 };

struct message {
    long type;
    char text[];
};

/* Objects with a life: a handle is an identifier, a descriptor or a pointer. */
struct kind {
    const char *name;
    long (*make)(int number); /* as by default; PRIVATE: without a key, where there are keys */
    long (*make_small)(int number); /* the least, for many: RLIMIT_MSGQUEUE */
    void (*find)(int number); /* the identifier of a key; or open and close */
    void (*stat)(long handle); /* NULL: cannot be asked */
    void (*destroy)(long handle, int number);
    int has_private;
};

struct channel {
    const struct kind *kind;
    long ranks; /* priorities; 1: a message has none that orders the queue */
    long (*make)(int number, long slots, size_t size); /* slots 0: the default */
    void (*send)(long handle, struct message *message, size_t size, long rank);
    void (*receive)(long handle, struct message *message, size_t room); /* the next one */
};

/* Semaphores. */
struct door {
    const struct kind *kind;
    long (*make)(int semaphores); /* all 0 */
    void (*down)(long handle, int semaphore);
    void (*up)(long handle, int semaphore);
};

enum place { ANYWHERE, ONE_CPU, TWO_CPUS };

struct scene {
    const char *name;
    const char *number; /* what the number after the colon is; NULL: there is none */
    long preset;
    const char *per; /* the operation that the value is the cost of, or "bytes", "percent" */
    const char *what;
    void (*setup)(void);
    double (*run)(long n); /* the value, from n operations (n 0 for `once`) */
    void (*teardown)(void);
    enum place place;
    int once; /* not calibrated: runs as long as it needs */
    int procs; /* that a run forks; OF_NUMBER: as many as the row's number says */
};

/* What the binary measures: tables that end with NULL, or with a scene without a name. */
extern const struct kind *const kinds[];
extern const struct channel *const channels[];
extern const struct door *const doors[];
extern const struct scene *const loose_scenes;

extern const struct scene kind_scenes[], channel_scenes[], channel_group_scenes[], door_scenes[];

/* The row that this process measures. */
extern struct job {
    const struct scene *scene;
    const struct kind *kind;
    const struct channel *channel;
    const struct door *door;
    long number;
    double sample_ns;
    int serial; /* among the rows of this run: what a row that failed has left is in nobody's way */
} job;

/* Why the row ends, in memory that is shared with the process that prints it. */
extern char *reason;

/* frame.c */
double now_ns(void);
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void *shared_memory(size_t size);
void pin_to(int nth);
/* Forks `procs` workers, lets them go together, and returns the time from the first start to the last end. */
double together(int procs, void (*prepare)(int who), void (*work)(int who, long n), long n);
void spread(int who); /* pins a worker as the scene's place says */
double median(double *values, long n);
unsigned long next_random(void);
void raise_limit(int resource);

#define need(condition, what)                                    \
    do {                                                         \
        if (!(condition))                                        \
            die("%s: %s", (what), strerror(errno));              \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
