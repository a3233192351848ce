/* Objects of every kind: made, found, asked, removed; and what they cost in memory. */
#define _GNU_SOURCE
#include "bench.h"
#include <signal.h>
#include <sys/wait.h>

static long *objects;

static void make_crowd(long (*make)(int number))
{
    int i;

    objects = (long *)calloc(job.number + 1, sizeof *objects);
    need(objects, "calloc");
    for (i = 0; i < job.number; i++)
        objects[i] = make(i);
}

/* `number` objects are there. */
static void setup_crowd(void)
{
    spread(0);
    make_crowd(job.kind->make_small);
}

static void setup_crowd_without_keys(void)
{
    if (!job.kind->has_private)
        die("no objects without a key");
    setup_crowd();
}

static void setup_crowd_to_ask(void)
{
    if (!job.kind->stat)
        die("cannot be asked");
    setup_crowd();
}

static void destroy_crowd(void)
{
    int i;

    for (i = 0; i < job.number; i++)
        job.kind->destroy(objects[i], i);
}

static double create(long n)
{
    double start = now_ns();
    long i;

    for (i = 0; i < n; i++)
        job.kind->destroy(job.kind->make(job.number), job.number);
    return (now_ns() - start) / n;
}

static double create_private(long n)
{
    double start = now_ns();
    long i;

    for (i = 0; i < n; i++)
        job.kind->destroy(job.kind->make(PRIVATE), PRIVATE);
    return (now_ns() - start) / n;
}

static double find(long n)
{
    double start = now_ns();
    long i, number = 0;

    for (i = 0; i < n; i++) {
        job.kind->find(number);
        number = (number + 7919) % job.number;
    }
    return (now_ns() - start) / n;
}

static double ask(long n)
{
    double start = now_ns();
    long i, number = 0;

    for (i = 0; i < n; i++) {
        job.kind->stat(objects[number]);
        number = (number + 7919) % job.number;
    }
    return (now_ns() - start) / n;
}

/*
 * What the whole machine has in use for objects: the kernel's allocations, memory files (tmpfs, shared
 * anonymous memory), page tables and the processes' own memory. The page cache of disks is no part of it.
 */
static double memory_in_use(void)
{
    static const char *const counted[] = { "Shmem:", "Slab:", "PageTables:", "AnonPages:", "KernelStack:", "Percpu:" };
    FILE *file = fopen("/proc/meminfo", "r");
    char line[200];
    double sum = 0;
    size_t i;

    need(file, "/proc/meminfo");
    while (fgets(line, sizeof line, file))
        for (i = 0; i < sizeof counted / sizeof *counted; i++)
            if (strncmp(line, counted[i], strlen(counted[i])) == 0)
                sum += 1024 * atof(line + strlen(counted[i]));
    fclose(file);
    return sum;
}

static double bytes_each_of(long (*make)(int number))
{
    double before;

    job.kind->destroy(make(job.number), job.number);
    before = memory_in_use();
    make_crowd(make);
    before = (memory_in_use() - before) / job.number;
    destroy_crowd();
    return before < 0 ? 0 : before;
}

static double bytes_each(long n) { return n ? 0 : bytes_each_of(job.kind->make_small); }
static double bytes_each_default(long n) { return n ? 0 : bytes_each_of(job.kind->make); }

/* Processes that have made a call on an object, or have not; what the machine has in use by them. */
static double processes_cost(long object)
{
    pid_t *pids = (pid_t *)calloc(job.number, sizeof *pids);
    double before = memory_in_use();
    int ready[2], i;
    char byte = 0;

    need(pids && pipe(ready) == 0, "pipe");
    for (i = 0; i < job.number; i++) {
        pids[i] = fork();
        need(pids[i] != -1, "fork");
        if (pids[i] == 0) {
            if (object != -1)
                job.kind->stat(object);
            need(write(ready[1], &byte, 1) == 1, "write");
            pause();
            _exit(0);
        }
    }
    for (i = 0; i < job.number; i++)
        need(read(ready[0], &byte, 1) == 1, "read");
    before = memory_in_use() - before;
    for (i = 0; i < job.number; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    free(pids);
    return before;
}

static double bytes_each_process(long n)
{
    double without, with;
    long object;

    (void)n;
    if (!job.kind->stat)
        die("cannot be asked");
    object = job.kind->make(0);
    processes_cost(-1);
    without = processes_cost(-1);
    with = processes_cost(object);
    job.kind->destroy(object, 0);
    return with < without ? 0 : (with - without) / job.number;
}

const struct scene kind_scenes[] = {
    { "create", "objects there", 0, "object", "make by name or key, and remove", setup_crowd, create, destroy_crowd, ONE_CPU,
      0, 0 },
    { "create-private", "objects there", 0, "object", "make with IPC_PRIVATE, and remove", setup_crowd_without_keys,
      create_private, destroy_crowd, ONE_CPU, 0, 0 },
    { "find", "objects there", 1, "call", "the identifier of a known key; or open and close by name", setup_crowd, find,
      destroy_crowd, ONE_CPU, 0, 0 },
    { "stat", "objects there", 1, "call", "IPC_STAT, mq_getattr", setup_crowd_to_ask, ask, destroy_crowd, ONE_CPU, 0, 0 },
    { "bytes", "objects", 1000, "bytes", "of memory that an object takes, empty; a POSIX queue for one message of 64", NULL,
      bytes_each, NULL, ANYWHERE, 1, 0 },
    { "default-bytes", "objects", 1000, "bytes", "of memory that an object takes, empty; a POSIX queue for 10 of 8192", NULL,
      bytes_each_default, NULL, ANYWHERE, 1, 0 },
    { "process-bytes", "processes", 200, "bytes", "of memory that a process takes which uses an object", NULL,
      bytes_each_process, NULL, ANYWHERE, 1, 0 },
    { 0 },
};
