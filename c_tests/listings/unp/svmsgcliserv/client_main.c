/* UNP vol. 2, chapter 6, client_main: asks for the file named on standard input, and removes both queues. */
#include "svmsg.h"

void client(int from_server, int to_server);

int main(void)
{
    int to_server = get_queue(MQ_KEY1, 0), from_server = get_queue(MQ_KEY2, 0);

    client(from_server, to_server);
    remove_queue(from_server);
    remove_queue(to_server);
    return 0;
}
