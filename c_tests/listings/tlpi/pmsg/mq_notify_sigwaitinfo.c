/* TLPI 52, solution of exercise 52-6: mq_notify_sigwaitinfo mq-name: waits for the signal instead of handling it. */
#include "notified.h"

int main(int argc, char **argv)
{
    struct notified queue = open_queue(argc, argv);
    siginfo_t info;
    sigset_t wanted;

    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &wanted, NULL) == -1)
        fail_in("sigprocmask");
    notify_by_signal(&queue);
    for (;;) {
        if (sigwaitinfo(&wanted, &info) == -1)
            fail_in("sigwaitinfo");
        printf("Accepted signal: si_signo = %s; si_code = %s; si_pid = %ld; si_uid = %ld; si_value = %d\n",
               info.si_signo == SIGUSR1 ? "SIGUSR1" : "?", info.si_code == SI_MESGQ ? "SI_MESGQ" : "?",
               (long)info.si_pid, (long)info.si_uid, info.si_value.sival_int);
        notify_by_signal(&queue);
        drain(&queue);
    }
}
