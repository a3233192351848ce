/*
 * UNP vol. 2, appendix A, bw_svmsg <#loops> <#mbytes> <#bytes/write>: the bandwidth of a System V message queue; a
 * message's type counts as part of its bytes.
 */
#include "bandwidth.h"

static int queue;

static void make(size_t piece)
{
    if (piece <= sizeof(long))
        err_quit("bw_svmsg: a write must be longer than a message type");
    queue = msgget(IPC_PRIVATE, IPC_CREAT | SVMSG_MODE);
    if (queue == -1)
        err_sys("msgget error");
}

static void put(char *buffer, size_t piece)
{
    *(long *)(void *)buffer = 1;
    if (msgsnd(queue, buffer, piece - sizeof(long), 0) == -1)
        err_sys("msgsnd error");
}

static size_t get(char *buffer, size_t piece)
{
    ssize_t length = msgrcv(queue, buffer, piece - sizeof(long), 0, 0);

    if (length == -1)
        err_sys("msgrcv error");
    return (size_t)length + sizeof(long);
}

static void end(void) { msgctl(queue, IPC_RMID, NULL); }

int main(int argc, char **argv)
{
    return bandwidth("bw_svmsg", argc, argv, &(struct way){make, put, get, end});
}
