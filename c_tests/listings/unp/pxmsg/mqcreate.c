/* UNP vol. 2, chapter 5, mqcreate [ -e ] [ -m maxmsg -z msgsize ] <name>: makes a queue, if wanted of that size. */
#include "pxmsg.h"

/* test1 is the same with time to look at the memory in use. */
#ifndef STOP
#define STOP()
#endif

int main(int argc, char **argv)
{
    struct mq_attr wanted = {.mq_maxmsg = 0};
    int option, flags = O_RDWR | O_CREAT;
    mqd_t queue;

    while ((option = getopt(argc, argv, "em:z:")) != -1)
        switch (option) {
        case 'e': flags |= O_EXCL; break;
        case 'm': wanted.mq_maxmsg = atol(optarg); break;
        case 'z': wanted.mq_msgsize = atol(optarg); break;
        default: exit(1);
        }
    if (optind != argc - 1)
        err_quit("usage: mqcreate [ -e ] [ -m maxmsg -z msgsize ] <name>");
    if ((wanted.mq_maxmsg == 0) != (wanted.mq_msgsize == 0))
        err_quit("must specify both -m maxmsg and -z msgsize");
    STOP();
    queue = mq_open(argv[optind], flags, FILE_MODE, wanted.mq_maxmsg ? &wanted : NULL);
    if (queue == (mqd_t)-1)
        err_sys("mq_open error for %s", argv[optind]);
    STOP();
    if (mq_close(queue) == -1)
        err_sys("mq_close error");
    return 0;
}
