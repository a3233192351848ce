/* UNP vol. 2, appendix A, lat_svmsg <#loops>: the latency of an empty message through a System V queue and back through another. */
#include "latency.h"

static int queues[2];

static void make(void)
{
    int way;

    for (way = 0; way < 2; way++)
        if ((queues[way] = msgget(IPC_PRIVATE, IPC_CREAT | SVMSG_MODE)) == -1)
            err_sys("msgget error");
}

static void put(int way)
{
    long message = 1;

    if (msgsnd(queues[way], &message, 0, 0) == -1)
        err_sys("msgsnd error");
}

static void get(int way)
{
    long message;

    if (msgrcv(queues[way], &message, 0, 0, 0) != 0)
        err_sys("msgrcv error");
}

static void end(void)
{
    msgctl(queues[0], IPC_RMID, NULL);
    msgctl(queues[1], IPC_RMID, NULL);
}

int main(int argc, char **argv)
{
    return latency("lat_svmsg", argc, argv, &(struct ways){make, put, get, end});
}
