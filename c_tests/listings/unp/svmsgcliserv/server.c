/* UNP vol. 2, chapter 4: the server takes one pathname and answers with the file. */
#include "mesg.h"

void server(int from_client, int to_client)
{
    struct mymesg message = {.mesg_type = 0};

    if (mesg_recv(from_client, &message) == 0)
        err_quit("pathname missing");
    mesg_send_file(to_client, &message);
}
