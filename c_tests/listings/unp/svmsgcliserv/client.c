/* UNP vol. 2, chapter 4: the client sends the pathname that it reads from standard input, and shows the answer. */
#include "mesg.h"

void client(int from_server, int to_server)
{
    struct mymesg message = {.mesg_type = 1};

    mesg_read_path(&message);
    mesg_send(to_server, &message);
    message.mesg_type = 0;
    mesg_show(from_server, &message);
}
