/* TLPI 52, listing 52-5: pmsg_receive [-n] mq-name: receives a message; -n does not wait. */
#include "listing.h"

int main(int argc, char **argv)
{
    int option, flags = O_RDONLY;
    struct mq_attr attr;
    unsigned priority;
    ssize_t length;
    char *text;
    mqd_t mqd;

    while ((option = getopt(argc, argv, "n")) != -1)
        if (option == 'n')
            flags |= O_NONBLOCK;
        else
            usage(argv[0], "[-n] mq-name");
    if (optind >= argc)
        usage(argv[0], "[-n] mq-name");
    mqd = mq_open(argv[optind], flags);
    if (mqd == (mqd_t)-1)
        fail_in("mq_open");
    if (mq_getattr(mqd, &attr) == -1)
        fail_in("mq_getattr");
    text = malloc((size_t)attr.mq_msgsize);
    if (!text)
        fail_in("malloc");
    length = mq_receive(mqd, text, (size_t)attr.mq_msgsize, &priority);
    if (length == -1)
        fail_in("mq_receive");
    printf("Read %ld bytes; priority = %u\n%.*s\n", (long)length, priority, (int)length, text);
    free(text);
    return 0;
}
