/* UNP vol. 2, chapter 6: a request begins with the identifier of the queue that the answer is to go to. */
#include "../svmsgcliserv/mesg.h"

void client(int from_server, int to_server)
{
    struct mymesg message = {.mesg_type = 1};

    snprintf(message.mesg_data, MAX_MESG_DATA, "%d ", from_server);
    mesg_read_path(&message);
    mesg_send(to_server, &message);
    message.mesg_type = 0;
    mesg_show(from_server, &message);
}
