/* TLPI 52, listing 52-4: pmsg_send [-n] mq-name msg [prio]: sends a message; -n does not wait. */
#include "listing.h"

int main(int argc, char **argv)
{
    int option, flags = O_WRONLY;
    unsigned priority;
    mqd_t mqd;

    while ((option = getopt(argc, argv, "n")) != -1)
        if (option == 'n')
            flags |= O_NONBLOCK;
        else
            usage(argv[0], "[-n] mq-name msg [prio]");
    if (argc < optind + 2)
        usage(argv[0], "[-n] mq-name msg [prio]");
    mqd = mq_open(argv[optind], flags);
    if (mqd == (mqd_t)-1)
        fail_in("mq_open");
    priority = argc > optind + 2 ? (unsigned)number(argv[optind + 2], 10, "prio") : 0;
    if (mq_send(mqd, argv[optind + 1], strlen(argv[optind + 1]), priority) == -1)
        fail_in("mq_send");
    return 0;
}
