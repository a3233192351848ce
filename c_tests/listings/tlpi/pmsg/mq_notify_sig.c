/*
 * TLPI 52, listing 52-6: mq_notify_sig mq-name: is told by SIGUSR1 of a message on the empty queue, registers again,
 * then takes all there are; for ever.
 */
#include "notified.h"

static void woken(int signal_number) { (void)signal_number; }

int main(int argc, char **argv)
{
    struct notified queue = open_queue(argc, argv);
    struct sigaction action = {.sa_handler = woken};
    sigset_t none;

    handle(&action, &none);
    notify_by_signal(&queue);
    for (;;) {
        sigsuspend(&none);
        /* Before the queue is empty: what comes from now on is told. */
        notify_by_signal(&queue);
        drain(&queue);
    }
}
