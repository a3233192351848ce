/* UNP vol. 2, figure 6.6, msgrcv [ -n ] [ -t type ] <pathname>: takes a message; -n does not wait. */
#include "../../listing.h"

int main(int argc, char **argv)
{
    static struct { long type; char text[8192]; } message;
    int option, queue, flags = 0;
    long type = 0;
    ssize_t length;

    while ((option = getopt(argc, argv, "nt:")) != -1)
        switch (option) {
        case 'n': flags |= IPC_NOWAIT; break;
        case 't': type = atol(optarg); break;
        default: exit(1);
        }
    if (optind != argc - 1)
        err_quit("usage: msgrcv [ -n ] [ -t type ] <pathname>");
    queue = msgget(key_of(argv[optind], 0), S_IRUSR);
    if (queue == -1)
        err_sys("msgget error");
    length = msgrcv(queue, &message, sizeof message.text, type, flags);
    if (length == -1)
        err_sys("msgrcv error");
    printf("read %ld bytes, type = %ld\n", (long)length, message.type);
    return 0;
}
