/* UNP vol. 2, chapter 6: sends a message to a System V queue. */
#include "mesg.h"

void mesg_send(int queue, const struct mymesg *message)
{
    if (msgsnd(queue, &message->mesg_type, (size_t)message->mesg_len, 0) == -1)
        err_sys("mesg_send error");
}
