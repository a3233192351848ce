/* UNP vol. 2, chapter 5, mqnotifysig4 <name>: no handler: the signal is blocked and waited for by sigwait. */
#include "pxmsg.h"

int main(int argc, char **argv)
{
    struct listener listener = {.text = NULL};
    sigset_t awaited;
    int signal_number;

    if (argc != 2)
        err_quit("usage: mqnotifysig4 <name>");
    listen_to(&listener, argv[1], O_RDONLY | O_NONBLOCK);
    awaited = block_usr1();
    ask(&listener);
    for (;;) {
        sigwait(&awaited, &signal_number);
        if (signal_number != SIGUSR1)
            continue;
        ask(&listener);
        take_all(&listener);
    }
}
