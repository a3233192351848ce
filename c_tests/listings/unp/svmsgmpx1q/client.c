/* UNP vol. 2, chapter 6: a request says who asks, so that the answer has the client's pid as its type. */
#include "../svmsgcliserv/mesg.h"

void client(int queue)
{
    struct mymesg message = {.mesg_type = 1};

    snprintf(message.mesg_data, MAX_MESG_DATA, "%ld ", (long)getpid());
    mesg_read_path(&message);
    mesg_send(queue, &message);
    message.mesg_type = getpid();
    mesg_show(queue, &message);
}
