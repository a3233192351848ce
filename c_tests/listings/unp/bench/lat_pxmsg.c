/* UNP vol. 2, appendix A, lat_pxmsg <#loops>: the latency of a byte through a POSIX message queue and back through another. */
#include "latency.h"

static const char *const names[2] = {"lat_pxmsg1", "lat_pxmsg2"};
static mqd_t queues[2];

static void make(void)
{
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 1024};
    int way;

    for (way = 0; way < 2; way++) {
        mq_unlink(px_ipc_name(names[way]));
        queues[way] = mq_open(px_ipc_name(names[way]), O_RDWR | O_CREAT, FILE_MODE, &attr);
        if (queues[way] == (mqd_t)-1)
            err_sys("mq_open error for %s", px_ipc_name(names[way]));
    }
}

static void put(int way)
{
    if (mq_send(queues[way], "", 1, 0) == -1)
        err_sys("mq_send error");
}

static void get(int way)
{
    char message[1024];

    if (mq_receive(queues[way], message, sizeof message, NULL) != 1)
        err_sys("mq_receive error");
}

static void end(void)
{
    mq_unlink(px_ipc_name(names[0]));
    mq_unlink(px_ipc_name(names[1]));
}

int main(int argc, char **argv)
{
    return latency("lat_pxmsg", argc, argv, &(struct ways){make, put, get, end});
}
