/* POSIX message queue calls that say what they did. */
#ifndef SCENE_MQ_H
#define SCENE_MQ_H

#include "scene.h"
#include <mqueue.h>

enum { MQ_TEXT_MAX = 64 };

#define MQ_NAME "/scene"
#define MQ_NAME2 "/scene2"

/* A fresh queue under a name that no earlier scene's leftovers hold. */
SCENE_API mqd_t mq_fresh(const char *name, long maxmsg, int flags, mode_t mode)
{
    struct mq_attr attr;
    mqd_t mqd;

    memset(&attr, 0, sizeof attr);
    attr.mq_maxmsg = maxmsg;
    attr.mq_msgsize = MQ_TEXT_MAX;
    mq_unlink(name);
    mqd = mq_open(name, O_CREAT | O_EXCL | flags, mode, &attr);
    need(mqd != (mqd_t)-1, "mq_open");
    return mqd;
}

SCENE_API mqd_t mq_new(long maxmsg) { return mq_fresh(MQ_NAME, maxmsg, O_RDWR, 0600); }

SCENE_API mqd_t mq_again(int flags)
{
    mqd_t mqd = mq_open(MQ_NAME, flags);

    need(mqd != (mqd_t)-1, "mq_open again");
    return mqd;
}

SCENE_API int mq_put(mqd_t mqd, const char *text, unsigned priority)
{
    return mq_send(mqd, text, strlen(text), priority);
}

SCENE_API int mq_snd(mqd_t mqd, const char *text, unsigned priority)
{
    int sent = mq_put(mqd, text, priority);

    say("mq_send(\"%s\", %u) %s", text, priority, result(sent));
    return sent;
}

SCENE_API void say_mq_received(const char *call, ssize_t received, const char *text, unsigned priority)
{
    if (received == -1)
        say("%s %s", call, result(received));
    else
        say("%s = %zd priority %u \"%.*s\"", call, received, priority, (int)received, text);
}

SCENE_API ssize_t mq_rcv(mqd_t mqd)
{
    char text[MQ_TEXT_MAX];
    unsigned priority = 77;
    ssize_t received = mq_receive(mqd, text, sizeof text, &priority);

    say_mq_received("mq_receive", received, text, priority);
    return received;
}

SCENE_API struct timespec in_ms(long milliseconds)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec += milliseconds / 1000;
    time.tv_nsec += milliseconds % 1000 * 1000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_sec++;
        time.tv_nsec -= 1000000000;
    }
    return time;
}

SCENE_API ssize_t mq_rcv_until(mqd_t mqd, const struct timespec *deadline)
{
    char text[MQ_TEXT_MAX];
    unsigned priority = 77;
    ssize_t received = mq_timedreceive(mqd, text, sizeof text, &priority, deadline);

    say_mq_received("mq_timedreceive", received, text, priority);
    return received;
}

SCENE_API int mq_snd_until(mqd_t mqd, const char *text, unsigned priority, const struct timespec *deadline)
{
    int sent = mq_timedsend(mqd, text, strlen(text), priority, deadline);

    say("mq_timedsend(\"%s\", %u) %s", text, priority, result(sent));
    return sent;
}

SCENE_API void mq_nonblock(mqd_t mqd, int on)
{
    struct mq_attr attr;

    memset(&attr, 0, sizeof attr);
    attr.mq_flags = on ? O_NONBLOCK : 0;
    need(mq_setattr(mqd, &attr, NULL) == 0, "mq_setattr");
}

SCENE_API void mq_state(mqd_t mqd)
{
    struct mq_attr attr;

    if (mq_getattr(mqd, &attr) == -1)
        say("mq_getattr %s", result(-1));
    else
        say("queue: %ld of %ld messages of up to %ld bytes%s", attr.mq_curmsgs, attr.mq_maxmsg, attr.mq_msgsize,
            attr.mq_flags & O_NONBLOCK ? ", O_NONBLOCK" : "");
}

SCENE_API long mq_length(mqd_t mqd)
{
    struct mq_attr attr;

    need(mq_getattr(mqd, &attr) == 0, "mq_getattr");
    return attr.mq_curmsgs;
}

/* Fills the queue with messages named by number. */
SCENE_API void mq_fill(mqd_t mqd, unsigned priority)
{
    struct mq_attr attr;
    char text[24];

    need(mq_getattr(mqd, &attr) == 0, "mq_getattr");
    for (long i = attr.mq_curmsgs; i < attr.mq_maxmsg; i++) {
        snprintf(text, sizeof text, "f%ld", i);
        need(mq_put(mqd, text, priority) == 0, "mq_send");
    }
}

/* Takes everything that is there; the queue's O_NONBLOCK is off afterwards. */
SCENE_API void mq_drain(mqd_t mqd)
{
    mq_nonblock(mqd, 1);
    while (mq_rcv(mqd) != -1)
        ;
    mq_nonblock(mqd, 0);
}

#endif
