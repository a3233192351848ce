/* UNP vol. 2, chapter 5: what the programs for message queues share. */
#ifndef PXMSG_H
#define PXMSG_H

#include "../../listing.h"
#include <signal.h>

LISTING_API mqd_t open_queue(const char *name, int flags)
{
    mqd_t queue = mq_open(name, flags);

    if (queue == (mqd_t)-1)
        err_sys("mq_open error for %s", name);
    return queue;
}

LISTING_API struct mq_attr attributes(mqd_t queue)
{
    struct mq_attr attr;

    if (mq_getattr(queue, &attr) == -1)
        err_sys("mq_getattr error");
    return attr;
}

/* One who is told by a signal of messages on an empty queue: the queue, and room for a message. */
struct listener {
    mqd_t queue;
    struct sigevent event;
    size_t size;
    char *text;
};

LISTING_API void ask(struct listener *listener)
{
    if (mq_notify(listener->queue, &listener->event) == -1)
        err_sys("mq_notify error");
}

LISTING_API void listen_to(struct listener *listener, const char *name, int flags)
{
    listener->queue = open_queue(name, flags);
    listener->size = (size_t)attributes(listener->queue).mq_msgsize;
    listener->text = malloc(listener->size);
    if (!listener->text)
        err_sys("malloc error");
    listener->event.sigev_notify = SIGEV_SIGNAL;
    listener->event.sigev_signo = SIGUSR1;
}

LISTING_API void show(ssize_t length, const char *before)
{
    printf("%sread %ld bytes\n", before, (long)length);
}

LISTING_API void take_one(struct listener *listener, const char *before)
{
    ssize_t length = mq_receive(listener->queue, listener->text, listener->size, NULL);

    if (length == -1)
        err_sys("mq_receive error");
    show(length, before);
}

/* All there are; the queue is open with O_NONBLOCK. */
LISTING_API void take_all(struct listener *listener)
{
    ssize_t length;

    while ((length = mq_receive(listener->queue, listener->text, listener->size, NULL)) >= 0)
        show(length, "");
    if (errno != EAGAIN)
        err_sys("mq_receive error");
}

LISTING_API void handle(int signal_number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};

    if (sigaction(signal_number, &action, NULL) == -1)
        err_sys("signal error");
}

/* Blocks SIGUSR1, and gives the set with it alone. */
LISTING_API sigset_t block_usr1(void)
{
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &blocked, NULL) == -1)
        err_sys("sigprocmask error");
    return blocked;
}

#endif
