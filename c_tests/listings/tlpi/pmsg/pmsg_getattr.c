/* TLPI 52, listing 52-3: pmsg_getattr mq-name: a queue's attributes. */
#include "listing.h"

int main(int argc, char **argv)
{
    struct mq_attr attr;
    mqd_t mqd;

    if (argc != 2)
        usage(argv[0], "mq-name");
    mqd = mq_open(argv[1], O_RDONLY);
    if (mqd == (mqd_t)-1)
        fail_in("mq_open");
    if (mq_getattr(mqd, &attr) == -1)
        fail_in("mq_getattr");
    printf("Maximum # of messages on queue:   %ld\n", attr.mq_maxmsg);
    printf("Maximum message size:             %ld\n", attr.mq_msgsize);
    printf("# of messages currently on queue: %ld\n", attr.mq_curmsgs);
    return 0;
}
