/* UNP vol. 2, chapter 5, mqnotifysig3 <name>: as mqnotifysig2, but takes all messages there are, which is right. */
#include "pxmsg.h"

static volatile sig_atomic_t has_come;

static void told(int signal_number)
{
    (void)signal_number;
    has_come = 1;
}

int main(int argc, char **argv)
{
    struct listener listener = {.text = NULL};
    sigset_t none;

    if (argc != 2)
        err_quit("usage: mqnotifysig3 <name>");
    listen_to(&listener, argv[1], O_RDONLY | O_NONBLOCK);
    sigemptyset(&none);
    handle(SIGUSR1, told);
    ask(&listener);
    for (;;) {
        block_usr1();
        while (!has_come)
            sigsuspend(&none);
        has_come = 0;
        ask(&listener);
        take_all(&listener);
        if (sigprocmask(SIG_SETMASK, &none, NULL) == -1)
            err_sys("sigprocmask error");
    }
}
