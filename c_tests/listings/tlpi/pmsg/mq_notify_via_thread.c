/*
 * TLPI 52, supplement: mq_notify_via_thread /mq-name: the older form of mq_notify_thread: the thread finds the queue in
 * a global variable instead of in the value that it is given.
 */
#include "notified.h"

static struct notified queue;

static void told(union sigval value)
{
    (void)value;
    notify_by_thread(&queue, told);
    drain(&queue);
}

int main(int argc, char **argv)
{
    queue = open_queue(argc, argv);
    notify_by_thread(&queue, told);
    for (;;)
        pause();
}
