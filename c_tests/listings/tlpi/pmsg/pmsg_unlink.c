/* TLPI 52, listing 52-1: pmsg_unlink mq-name: removes a queue's name. */
#include "listing.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        usage(argv[0], "mq-name");
    if (mq_unlink(argv[1]) == -1)
        fail_in("mq_unlink");
    return 0;
}
