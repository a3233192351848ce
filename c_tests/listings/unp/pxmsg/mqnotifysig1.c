/* UNP vol. 2, chapter 5, mqnotifysig1 <name>: all is done in the handler, where none of it is allowed: the wrong way. */
#include "pxmsg.h"

static struct listener listener;

static void told(int signal_number)
{
    (void)signal_number;
    ask(&listener);
    take_one(&listener, "SIGUSR1 received, ");
}

int main(int argc, char **argv)
{
    if (argc != 2)
        err_quit("usage: mqnotifysig1 <name>");
    listen_to(&listener, argv[1], O_RDONLY);
    handle(SIGUSR1, told);
    ask(&listener);
    for (;;)
        pause();
}
