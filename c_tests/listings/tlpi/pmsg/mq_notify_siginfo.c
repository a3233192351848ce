/* TLPI 52, supplement: mq_notify_siginfo /mq-name: the handler of the signal says who has sent the message. */
#include "notified.h"

static void told(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    /* printf in a handler is not safe in general; here it runs only in sigsuspend. */
    printf("Signal %s; si_code = %s; PID = %ld; UID = %ld\n", signal_number == SIGUSR1 ? "SIGUSR1" : "?",
           info->si_code == SI_MESGQ ? "SI_MESGQ" : "?", (long)info->si_pid, (long)info->si_uid);
}

int main(int argc, char **argv)
{
    struct notified queue = open_queue(argc, argv);
    struct sigaction action = {.sa_sigaction = told, .sa_flags = SA_SIGINFO};
    sigset_t none;

    handle(&action, &none);
    notify_by_signal(&queue);
    for (;;) {
        sigsuspend(&none);
        notify_by_signal(&queue);
        drain(&queue);
    }
}
