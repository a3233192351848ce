/* UNP vol. 2, chapter 5, mqnotify3 <name>: a realtime signal says that it is from a queue, and brings the descriptor. */
#include "pxmsg.h"

#define MYSIG_NOTIFY (SIGRTMIN + 2)

static struct sigevent event;

static void told(int signal_number, siginfo_t *info, void *context)
{
    (void)signal_number;
    (void)context;
    printf("MYSIG_NOTIFY received\n");
    if (info->si_code != SI_MESGQ)
        err_quit("si_code = %d", info->si_code);
    if (mq_notify(*(mqd_t *)info->si_value.sival_ptr, &event) == -1)
        err_sys("mq_notify error");
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_sigaction = told, .sa_flags = SA_SIGINFO};
    mqd_t queue;

    if (argc != 2)
        err_quit("usage: mqnotify3 <name>");
    queue = open_queue(argv[1], O_RDONLY);
    if (sigaction(MYSIG_NOTIFY, &action, NULL) == -1)
        err_sys("signal error");
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = MYSIG_NOTIFY;
    event.sigev_value.sival_ptr = &queue;
    if (mq_notify(queue, &event) == -1)
        err_sys("mq_notify error");
    for (;;)
        pause();
}
