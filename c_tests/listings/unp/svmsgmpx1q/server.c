/* UNP vol. 2, chapter 6: takes messages of type 1 from the queue and answers each there, for the client that it names. */
#include "../svmsgcliserv/mesg.h"

void server(int queue)
{
    static struct mymesg message;

    for (;;) {
        message.mesg_type = 1;
        mesg_recv(queue, &message);
        message.mesg_type = mesg_asker(&message);
        if (message.mesg_type != -1)
            mesg_send_file(queue, &message);
    }
}
