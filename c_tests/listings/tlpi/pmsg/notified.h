/* What the programs share that are told of messages by mq_notify(3). */
#ifndef NOTIFIED_H
#define NOTIFIED_H

#include "listing.h"
#include <signal.h>

/* Messages are read into this; of mq_msgsize bytes. */
struct notified {
    mqd_t mqd;
    size_t size;
    char *text;
};

LISTING_API struct notified open_queue(int argc, char **argv)
{
    struct notified queue;
    struct mq_attr attr;

    if (argc != 2)
        usage(argv[0], "mq-name");
    queue.mqd = mq_open(argv[1], O_RDONLY | O_NONBLOCK);
    if (queue.mqd == (mqd_t)-1)
        fail_in("mq_open");
    if (mq_getattr(queue.mqd, &attr) == -1)
        fail_in("mq_getattr");
    queue.size = (size_t)attr.mq_msgsize;
    queue.text = malloc(queue.size);
    if (!queue.text)
        fail_in("malloc");
    return queue;
}

/* Asks to be told by SIGUSR1, once. */
LISTING_API void notify_by_signal(const struct notified *queue)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};

    if (mq_notify(queue->mqd, &event) == -1)
        fail_in("mq_notify");
}

/* Asks to be told by a thread that runs the function, once. */
LISTING_API void notify_by_thread(struct notified *queue, void (*function)(union sigval))
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD};

    event.sigev_notify_function = function;
    event.sigev_value.sival_ptr = queue;
    if (mq_notify(queue->mqd, &event) == -1)
        fail_in("mq_notify");
}

/* Takes all the messages there are. */
LISTING_API void drain(const struct notified *queue)
{
    ssize_t length;

    while ((length = mq_receive(queue->mqd, queue->text, queue->size, NULL)) >= 0)
        printf("Read %ld bytes\n", (long)length);
    if (errno != EAGAIN)
        fail_in("mq_receive");
}

/* SIGUSR1 runs the handler only while somebody waits for it with `none` as mask. */
LISTING_API void handle(struct sigaction *action, sigset_t *none)
{
    sigset_t block;

    sigemptyset(none);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &block, NULL) == -1)
        fail_in("sigprocmask");
    sigemptyset(&action->sa_mask);
    if (sigaction(SIGUSR1, action, NULL) == -1)
        fail_in("sigaction");
}

#endif
