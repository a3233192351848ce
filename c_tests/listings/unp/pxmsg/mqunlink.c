/* UNP vol. 2, chapter 5, mqunlink <name>: removes a queue's name. */
#include "pxmsg.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        err_quit("usage: mqunlink <name>");
    if (mq_unlink(argv[1]) == -1)
        err_sys("mq_unlink error");
    return 0;
}
