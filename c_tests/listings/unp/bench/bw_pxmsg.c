/* UNP vol. 2, appendix A, bw_pxmsg <#loops> <#mbytes> <#bytes/write>: the bandwidth of a POSIX message queue of four messages. */
#include "bandwidth.h"

static mqd_t queue;

static void make(size_t piece)
{
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = (long)piece};

    mq_unlink(px_ipc_name("bw_pxmsg"));
    queue = mq_open(px_ipc_name("bw_pxmsg"), O_RDWR | O_CREAT, FILE_MODE, &attr);
    if (queue == (mqd_t)-1)
        err_sys("mq_open error for %s", px_ipc_name("bw_pxmsg"));
}

static void put(char *buffer, size_t piece)
{
    if (mq_send(queue, buffer, piece, 0) == -1)
        err_sys("mq_send error");
}

static size_t get(char *buffer, size_t piece)
{
    ssize_t length = mq_receive(queue, buffer, piece, NULL);

    if (length == -1)
        err_sys("mq_receive error");
    return (size_t)length;
}

static void end(void) { mq_unlink(px_ipc_name("bw_pxmsg")); }

int main(int argc, char **argv)
{
    return bandwidth("bw_pxmsg", argc, argv, &(struct way){make, put, get, end});
}
