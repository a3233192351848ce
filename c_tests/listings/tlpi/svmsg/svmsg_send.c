/* TLPI 46, listing 46-2: svmsg_send [-n] msqid msg-type [msg-text]: sends one message; -n does not wait. */
#include "listing.h"

int main(int argc, char **argv)
{
    static struct {
        long type;
        char text[1024];
    } message;
    int option, flags = 0;
    size_t length = 0;

    while ((option = getopt(argc, argv, "n")) != -1)
        if (option == 'n')
            flags |= IPC_NOWAIT;
        else
            usage(argv[0], "[-n] msqid msg-type [msg-text]");
    if (argc < optind + 2 || argc > optind + 3)
        usage(argv[0], "[-n] msqid msg-type [msg-text]");
    message.type = number(argv[optind + 1], 10, "msg-type");
    if (argc == optind + 3) {
        length = strlen(argv[optind + 2]) + 1;
        if (length > sizeof message.text)
            bad_command_line("msg-text too long (max: %zu characters)", sizeof message.text - 1);
        memcpy(message.text, argv[optind + 2], length);
    }
    if (msgsnd(number(argv[optind], 10, "msqid"), &message, length, flags) == -1)
        fail_in("msgsnd");
    return 0;
}
