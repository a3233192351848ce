/*
 * TLPI 46, listing 46-3: svmsg_receive [-nex] [-t msg-type] msqid [max-bytes]: receives one message. -n does not
 * wait, -e cuts what is too long, -x takes the first whose type is another.
 */
#include "listing.h"

int main(int argc, char **argv)
{
    static const char arguments[] = "[-nex] [-t msg-type] msqid [max-bytes]";
    static struct {
        long type;
        char text[1024];
    } message;
    int option, flags = 0;
    long type = 0, most = sizeof message.text;
    ssize_t length;

    while ((option = getopt(argc, argv, "next:")) != -1)
        switch (option) {
        case 'n': flags |= IPC_NOWAIT; break;
        case 'e': flags |= MSG_NOERROR; break;
        case 'x': flags |= MSG_EXCEPT; break;
        case 't': type = atol(optarg); break;
        default: usage(argv[0], arguments);
        }
    if (argc < optind + 1 || argc > optind + 2)
        usage(argv[0], arguments);
    if (argc == optind + 2)
        most = number(argv[optind + 1], 10, "max-bytes");
    if (most < 0 || most > (long)sizeof message.text)
        usage(argv[0], arguments);
    length = msgrcv(number(argv[optind], 10, "msqid"), &message, (size_t)most, type, flags);
    if (length == -1)
        fail_in("msgrcv");
    printf("Received: type=%ld; length=%ld", message.type, (long)length);
    if (length > 0)
        printf("; body=%.*s", (int)length, message.text);
    printf("\n");
    return 0;
}
