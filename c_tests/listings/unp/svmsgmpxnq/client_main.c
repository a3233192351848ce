/* UNP vol. 2, chapter 6, client_main: has a private queue for the answer, and removes it. */
#include "../svmsgcliserv/svmsg.h"

void client(int from_server, int to_server);

int main(void)
{
    int to_server = get_queue(MQ_KEY1, 0), from_server = get_queue(IPC_PRIVATE, SVMSG_MODE | IPC_CREAT);

    client(from_server, to_server);
    remove_queue(from_server);
    return 0;
}
