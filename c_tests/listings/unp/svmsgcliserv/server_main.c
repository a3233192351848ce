/* UNP vol. 2, chapter 6, server_main: a queue in each direction, made if they are not there yet; serves one client. */
#include "svmsg.h"

void server(int from_client, int to_client);

int main(void)
{
    int from_client = get_queue(MQ_KEY1, SVMSG_MODE | IPC_CREAT);

    server(from_client, get_queue(MQ_KEY2, SVMSG_MODE | IPC_CREAT));
    return 0;
}
