/* Clock, processors, and processes that start together. */
#define _GNU_SOURCE
#include "bench.h"
#include <sched.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e9 + now.tv_nsec;
}

/* Ends the row: the first reason given is the one that is printed. */
void die(const char *format, ...)
{
    va_list arguments;

    if (!reason[0]) {
        va_start(arguments, format);
        vsnprintf(reason, 200, format, arguments);
        va_end(arguments);
    }
    _exit(1);
}

void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    need(memory != MAP_FAILED, "mmap");
    return memory;
}

/* The processors that this process may use, as they were at its start. */
void pin_to(int nth)
{
    static cpu_set_t allowed;
    static int known;
    cpu_set_t one;
    int cpu;

    if (!known) {
        need(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "sched_getaffinity");
        known = 1;
    }
    nth %= CPU_COUNT(&allowed);
    for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && nth-- == 0)
            break;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    need(sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
}

void spread(int who)
{
    if (job.scene->place == ONE_CPU)
        pin_to(0);
    if (job.scene->place == TWO_CPUS)
        pin_to(who);
}

struct span {
    double start, end;
};

static void worker(int who, int ready[2], int go[2], struct span *span, void (*prepare)(int), void (*work)(int, long),
                   long n)
{
    char byte = 0;

    close(ready[0]);
    close(go[1]);
    spread(who);
    if (prepare)
        prepare(who);
    need(write(ready[1], &byte, 1) == 1, "write");
    need(read(go[0], &byte, 1) == 0, "read");
    span->start = now_ns();
    work(who, n);
    span->end = now_ns();
    _exit(0);
}

/* The time in which all were at work. A failed worker ends the row, and with it the others. */
static double gather(int procs, const struct span *spans)
{
    double start = 0, end = 0;
    int who, status;

    for (who = 0; who < procs; who++) {
        need(wait(&status) != -1, "wait");
        if (status != 0)
            die("a worker ended with status %#x", status);
    }
    for (who = 0; who < procs; who++) {
        if (who == 0 || spans[who].start < start)
            start = spans[who].start;
        if (spans[who].end > end)
            end = spans[who].end;
    }
    return end - start;
}

double together(int procs, void (*prepare)(int who), void (*work)(int who, long n), long n)
{
    struct span *spans = (struct span *)shared_memory(procs * sizeof *spans);
    int ready[2], go[2], who;
    double spent;
    char byte;

    need(pipe(ready) == 0 && pipe(go) == 0, "pipe");
    for (who = 0; who < procs; who++) {
        pid_t pid = fork();

        need(pid != -1, "fork");
        if (pid == 0)
            worker(who, ready, go, &spans[who], prepare, work, n);
    }
    close(ready[1]);
    close(go[0]);
    for (who = 0; who < procs; who++)
        if (read(ready[0], &byte, 1) != 1)
            die("a worker did not start");
    close(go[1]);
    spent = gather(procs, spans);
    close(ready[0]);
    munmap(spans, procs * sizeof *spans);
    return spent;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Sorts them. */
double median(double *values, long n)
{
    qsort(values, n, sizeof *values, by_value);
    return values[n / 2];
}

unsigned long next_random(void)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* As far as it goes. */
void raise_limit(int resource)
{
    struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

    if (setrlimit(resource, &limit) == 0)
        return;
    if (resource == RLIMIT_NOFILE) { /* fs.nr_open by default */
        limit.rlim_cur = limit.rlim_max = 1 << 20;
        if (setrlimit(resource, &limit) == 0)
            return;
    }
    if (getrlimit(resource, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(resource, &limit);
    }
}
