/* UNP vol. 2, chapter 6, server_main: one queue for requests, a child for each; for ever. */
#include "../svmsgcliserv/svmsg.h"

void server(int queue);

int main(void)
{
    server(get_queue(MQ_KEY1, SVMSG_MODE | IPC_CREAT));
    return 0;
}
