/*
 * TLPI 52, supplement: mq_notify_via_signal /mq-name: the older form of mq_notify_sig: waits in pause for a handler
 * that notes the signal, so that one between the test and the pause is not seen until the next.
 */
#include "notified.h"

static volatile sig_atomic_t told;

static void note(int signal_number)
{
    (void)signal_number;
    told = 1;
}

int main(int argc, char **argv)
{
    struct notified queue = open_queue(argc, argv);
    struct sigaction action = {.sa_handler = note};

    if (sigaction(SIGUSR1, &action, NULL) == -1)
        fail_in("sigaction");
    notify_by_signal(&queue);
    for (;;) {
        while (!told)
            pause();
        told = 0;
        notify_by_signal(&queue);
        drain(&queue);
    }
}
