/* UNP vol. 2, chapter 5, mqsend <name> <#bytes> <priority>: sends zeros. */
#include "pxmsg.h"

int main(int argc, char **argv)
{
    size_t length;
    mqd_t queue;
    char *text;

    if (argc != 4)
        err_quit("usage: mqsend <name> <#bytes> <priority>");
    length = (size_t)atoi(argv[2]);
    queue = open_queue(argv[1], O_WRONLY);
    text = calloc(length, 1);
    if (!text)
        err_sys("calloc error");
    if (mq_send(queue, text, length, (unsigned)atoi(argv[3])) == -1)
        err_sys("mq_send error");
    return 0;
}
