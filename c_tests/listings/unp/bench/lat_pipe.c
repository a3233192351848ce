/* UNP vol. 2, appendix A, lat_pipe <#loops>: the latency of a byte through a pipe and back, for comparison. */
#include "latency.h"

static int pipes[2][2];

static void make(void)
{
    make_pipe(pipes[0]);
    make_pipe(pipes[1]);
}

static void put(int way)
{
    if (write(pipes[way][1], "", 1) != 1)
        err_sys("write error");
}

static void get(int way)
{
    char byte;

    if (read(pipes[way][0], &byte, 1) != 1)
        err_sys("read error");
}

static void end(void) {}

int main(int argc, char **argv)
{
    return latency("lat_pipe", argc, argv, &(struct ways){make, put, get, end});
}
