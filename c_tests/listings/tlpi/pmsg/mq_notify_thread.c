/*
 * TLPI 52, listing 52-7: mq_notify_thread mq-name: a thread is started for a message on the empty queue; it registers
 * again, and takes all there are.
 */
#include "notified.h"

static void told(union sigval value)
{
    struct notified *queue = value.sival_ptr;

    notify_by_thread(queue, told);
    drain(queue);
}

int main(int argc, char **argv)
{
    struct notified queue = open_queue(argc, argv);

    notify_by_thread(&queue, told);
    for (;;)
        pause();
}
