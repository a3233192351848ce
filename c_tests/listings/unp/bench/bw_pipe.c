/* UNP vol. 2, appendix A, bw_pipe <#loops> <#mbytes> <#bytes/write>: the bandwidth of a pipe, for comparison. */
#include "bandwidth.h"

static int data[2];

static void make(size_t piece)
{
    (void)piece;
    make_pipe(data);
}

static void put(char *buffer, size_t piece)
{
    if (write(data[1], buffer, piece) != (ssize_t)piece)
        err_sys("write error");
}

static size_t get(char *buffer, size_t piece)
{
    ssize_t length = read(data[0], buffer, piece);

    if (length <= 0)
        err_sys("read error");
    return (size_t)length;
}

static void end(void) {}

int main(int argc, char **argv)
{
    return bandwidth("bw_pipe", argc, argv, &(struct way){make, put, get, end});
}
