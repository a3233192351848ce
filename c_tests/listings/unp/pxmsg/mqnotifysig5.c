/* UNP vol. 2, chapter 5, mqnotifysig5 <name>: the handler writes into a pipe, so that select can wait for messages too. */
#include "pxmsg.h"
#include <sys/select.h>

static int ends[2];

static void told(int signal_number)
{
    (void)signal_number;
    if (write(ends[1], "", 1) != 1)
        _exit(1);
}

int main(int argc, char **argv)
{
    struct listener listener = {.text = NULL};
    fd_set readable;
    char byte;

    if (argc != 2)
        err_quit("usage: mqnotifysig5 <name>");
    listen_to(&listener, argv[1], O_RDONLY | O_NONBLOCK);
    if (pipe(ends) == -1)
        err_sys("pipe error");
    handle(SIGUSR1, told);
    ask(&listener);
    FD_ZERO(&readable);
    for (;;) {
        FD_SET(ends[0], &readable);
        if (select(ends[0] + 1, &readable, NULL, NULL, NULL) == -1) {
            if (errno == EINTR)
                continue;
            err_sys("select error");
        }
        if (read(ends[0], &byte, 1) != 1)
            err_sys("read error");
        ask(&listener);
        take_all(&listener);
    }
}
