/* UNP vol. 2, appendix A: what the lat_* programs share. A smallest message goes to a child and comes back. */
#ifndef LATENCY_H
#define LATENCY_H

#include "bench.h"
#include <signal.h>

/* Two ways: 0 to the child, 1 back. */
struct ways {
    void (*make)(void);
    void (*put)(int way);
    void (*get)(int way);
    void (*end)(void);
};

static void there_and_back(const struct ways *ways)
{
    ways->put(0);
    ways->get(1);
}

static int latency(const char *name, int argc, char **argv, const struct ways *ways)
{
    int i, rounds;
    pid_t child;

    if (argc != 2)
        err_quit("usage: %s <#loops>", name);
    rounds = atoi(argv[1]);
    ways->make();
    child = fork_child();
    if (child == 0)
        for (;;) {
            ways->get(0);
            ways->put(1);
        }
    /* The first one waits until the child runs. */
    there_and_back(ways);
    start_time();
    for (i = 0; i < rounds; i++)
        there_and_back(ways);
    printf("latency: %.3f usec\n", stop_time() / rounds);
    kill(child, SIGTERM);
    wait_for(child);
    ways->end();
    return 0;
}

#endif
