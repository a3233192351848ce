/* UNP vol. 2, chapter 6, client_main: asks for the file named on standard input; the queue stays. */
#include "../svmsgcliserv/svmsg.h"

void client(int queue);

int main(void)
{
    client(get_queue(MQ_KEY1, 0));
    return 0;
}
