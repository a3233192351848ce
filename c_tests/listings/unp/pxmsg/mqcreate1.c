/* UNP vol. 2, chapter 5, mqcreate [ -e ] <name>: makes a queue of the system's usual size, with -e only a new one. */
#include "pxmsg.h"

int main(int argc, char **argv)
{
    int option, flags = O_RDWR | O_CREAT;
    mqd_t queue;

    while ((option = getopt(argc, argv, "e")) != -1) {
        if (option != 'e')
            exit(1);
        flags |= O_EXCL;
    }
    if (optind != argc - 1)
        err_quit("usage: mqcreate [ -e ] <name>");
    queue = mq_open(argv[optind], flags, FILE_MODE, NULL);
    if (queue == (mqd_t)-1)
        err_sys("mq_open error for %s", argv[optind]);
    if (mq_close(queue) == -1)
        err_sys("mq_close error");
    return 0;
}
