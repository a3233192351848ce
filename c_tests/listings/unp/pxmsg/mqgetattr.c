/* UNP vol. 2, chapter 5, mqgetattr <name>: how large a queue is, and how full. */
#include "pxmsg.h"

int main(int argc, char **argv)
{
    struct mq_attr attr;
    mqd_t queue;

    if (argc != 2)
        err_quit("usage: mqgetattr <name>");
    queue = open_queue(argv[1], O_RDONLY);
    attr = attributes(queue);
    printf("max #msgs = %ld, max #bytes/msg = %ld, #currently on queue = %ld\n", attr.mq_maxmsg, attr.mq_msgsize,
           attr.mq_curmsgs);
    if (mq_close(queue) == -1)
        err_sys("mq_close error");
    return 0;
}
