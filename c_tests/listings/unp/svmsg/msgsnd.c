/* UNP vol. 2, figure 6.5, msgsnd <pathname> <#bytes> <type>: sends zeros, with permission to write asked for and no more. */
#include "../../listing.h"

int main(int argc, char **argv)
{
    struct { long type; char text[]; } *message;
    int queue, length;

    if (argc != 4)
        err_quit("usage: msgsnd <pathname> <#bytes> <type>");
    length = atoi(argv[2]);
    queue = msgget(key_of(argv[1], 0), S_IWUSR);
    if (queue == -1)
        err_sys("msgget error");
    message = calloc(1, sizeof *message + (length > 0 ? (size_t)length : 0));
    if (!message)
        err_sys("calloc error");
    message->type = atol(argv[3]);
    if (msgsnd(queue, message, (size_t)length, 0) == -1)
        err_sys("msgsnd error");
    return 0;
}
