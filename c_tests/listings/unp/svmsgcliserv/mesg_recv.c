/* UNP vol. 2, chapter 6: takes a message from a System V queue. */
#include "mesg.h"

ssize_t mesg_recv(int queue, struct mymesg *message)
{
    ssize_t length;

    /* A handler for SIGCHLD may have interrupted it, and nothing restarts msgrcv. */
    do
        length = msgrcv(queue, &message->mesg_type, MAX_MESG_DATA - 1, message->mesg_type, 0);
    while (length == -1 && errno == EINTR);
    if (length == -1)
        err_sys("mesg_recv error");
    message->mesg_len = length;
    message->mesg_data[length] = '\0';
    return length;
}
