/* UNP vol. 2, appendix A: what the measuring programs share: a stopwatch, memory for parent and children. */
#ifndef BENCH_H
#define BENCH_H

#include "../../listing.h"
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

static struct timespec started;

LISTING_API void start_time(void) { clock_gettime(CLOCK_MONOTONIC, &started); }

/* Microseconds since start_time. */
LISTING_API double stop_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - started.tv_sec) * 1e6 + (double)(now.tv_nsec - started.tv_nsec) / 1e3;
}

/* Zeroed memory that children share with their parent. */
LISTING_API void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        err_sys("mmap error");
    return memory;
}

LISTING_API pid_t fork_child(void)
{
    pid_t child = fork();

    if (child == -1)
        err_sys("fork error");
    return child;
}

LISTING_API void wait_for(pid_t child)
{
    if (waitpid(child, NULL, 0) == -1)
        err_sys("waitpid error");
}

LISTING_API void make_pipe(int ends[2])
{
    if (pipe(ends) == -1)
        err_sys("pipe error");
}

#endif
