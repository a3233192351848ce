/* UNP vol. 2, chapter 5, mqreceive [ -n ] <name>: takes a message; -n does not wait. */
#include "pxmsg.h"

int main(int argc, char **argv)
{
    int option, flags = O_RDONLY;
    unsigned priority;
    size_t size;
    ssize_t length;
    mqd_t queue;
    char *text;

    while ((option = getopt(argc, argv, "n")) != -1) {
        if (option != 'n')
            exit(1);
        flags |= O_NONBLOCK;
    }
    if (optind != argc - 1)
        err_quit("usage: mqreceive [ -n ] <name>");
    queue = open_queue(argv[optind], flags);
    size = (size_t)attributes(queue).mq_msgsize;
    text = malloc(size);
    if (!text)
        err_sys("malloc error");
    length = mq_receive(queue, text, size, &priority);
    if (length == -1)
        err_sys("mq_receive error");
    printf("read %ld bytes, priority = %u\n", (long)length, priority);
    return 0;
}
