/*
 * UNP vol. 2, appendix A: what the bw_* programs share. A child writes and the parent reads, in pieces of a
 * given size; before each round the parent says through a pipe how much it wants.
 */
#ifndef BANDWIDTH_H
#define BANDWIDTH_H

#include "bench.h"
#include <signal.h>

/* The way from child to parent. `get` returns how many bytes of the round it has taken. */
struct way {
    void (*make)(size_t piece);
    void (*put)(char *buffer, size_t piece);
    size_t (*get)(char *buffer, size_t piece);
    void (*end)(void);
};

static const struct way *the_way;

/* A writer that is refused has said so and ended; the reader would wait for ever. */
static void writer_ended(int signal_number)
{
    (void)signal_number;
    the_way->end();
    _exit(1);
}

static void write_rounds(const struct way *way, int orders, char *buffer, size_t piece)
{
    size_t left;

    while (read(orders, &left, sizeof left) == (ssize_t)sizeof left)
        for (; left > 0; left -= piece < left ? piece : left)
            way->put(buffer, piece);
    exit(0);
}

static void read_round(const struct way *way, int orders, char *buffer, size_t piece, size_t total)
{
    size_t taken = 0;

    if (write(orders, &total, sizeof total) != (ssize_t)sizeof total)
        err_sys("pipe write error");
    while (taken < total)
        taken += way->get(buffer, piece);
}

static int bandwidth(const char *name, int argc, char **argv, const struct way *way)
{
    int i, rounds, orders[2];
    size_t total, piece;
    char *buffer;
    pid_t child;

    if (argc != 4)
        err_quit("usage: %s <#loops> <#mbytes> <#bytes/write>", name);
    rounds = atoi(argv[1]);
    total = (size_t)atol(argv[2]) * 1024 * 1024;
    piece = (size_t)atol(argv[3]);
    /* Touched now, so that no round pays for the pages. */
    buffer = malloc(piece);
    if (!buffer)
        err_sys("malloc error");
    memset(buffer, 1, piece);
    make_pipe(orders);
    way->make(piece);
    the_way = way;
    signal(SIGCHLD, writer_ended);
    child = fork_child();
    if (child == 0) {
        close(orders[1]);
        write_rounds(way, orders[0], buffer, piece);
    }
    close(orders[0]);
    start_time();
    for (i = 0; i < rounds; i++)
        read_round(way, orders[1], buffer, piece, total);
    printf("bandwidth: %.3f MB/sec\n", (double)total / stop_time() * rounds);
    signal(SIGCHLD, SIG_DFL);
    kill(child, SIGTERM);
    wait_for(child);
    way->end();
    return 0;
}

#endif
