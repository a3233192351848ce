/* TLPI 52, listing 52-2: pmsg_create [-cx] [-m maxmsg] [-s msgsize] mq-name [octal-perms]: makes or opens a queue. */
#include "listing.h"

int main(int argc, char **argv)
{
    static const char arguments[] = "[-cx] [-m maxmsg] [-s msgsize] mq-name [octal-perms]";
    struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = 2048}, *given = NULL;
    int option, flags = O_RDWR;
    mode_t mode;

    while ((option = getopt(argc, argv, "cxm:s:")) != -1)
        switch (option) {
        case 'c': flags |= O_CREAT; break;
        case 'x': flags |= O_EXCL; break;
        case 'm': attr.mq_maxmsg = atoi(optarg); given = &attr; break;
        case 's': attr.mq_msgsize = atoi(optarg); given = &attr; break;
        default: usage(argv[0], arguments);
        }
    if (optind >= argc)
        usage(argv[0], arguments);
    mode = optind + 1 < argc ? (mode_t)number(argv[optind + 1], 8, "octal-perms") : S_IRUSR | S_IWUSR;
    if (mq_open(argv[optind], flags, mode, given) == (mqd_t)-1)
        fail_in("mq_open");
    return 0;
}
