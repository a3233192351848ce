/*
 * The six calls that block, as a table, so that a scene can be played with each of them: a `place` is a
 * queue prepared in such a way that the call has to wait.
 */
#ifndef SCENE_BLOCK_H
#define SCENE_BLOCK_H

#include "scene_mq.h"
#include "scene_msg.h"

enum call { MSGSND, MSGRCV, MQ_SEND, MQ_RECEIVE, MQ_TIMEDSEND, MQ_TIMEDRECEIVE, CALLS };

/* A scene played with each of them. */
#define FOR_CALLS(function)                                                                            \
    SCENE_WITH(function, MSGSND), SCENE_WITH(function, MSGRCV), SCENE_WITH(function, MQ_SEND),         \
        SCENE_WITH(function, MQ_RECEIVE), SCENE_WITH(function, MQ_TIMEDSEND),                          \
        SCENE_WITH(function, MQ_TIMEDRECEIVE)

struct place {
    int call;
    int q;
    mqd_t mqd;
};

SCENE_API int call_is_mq(int call) { return call >= MQ_SEND; }
SCENE_API int call_sends(int call) { return call == MSGSND || call == MQ_SEND || call == MQ_TIMEDSEND; }

/* A queue in which `call` has to wait: full for a sender (one message "full"), empty for a receiver. */
SCENE_API struct place place_new(int call)
{
    struct place place = {call, -1, (mqd_t)-1};

    if (call_is_mq(call)) {
        place.mqd = mq_new(1);
        if (call_sends(call))
            need(mq_put(place.mqd, "full", 1) == 0, "mq_send");
    } else {
        place.q = q_new();
        q_limit(place.q, 4);
        if (call_sends(call))
            need(put(place.q, 1, "full", IPC_NOWAIT) == 0, "msgsnd");
    }
    return place;
}

/* The call that waits; "late" is what a sender sends. */
SCENE_API long block_in(const struct place *place)
{
    struct timespec far = in_ms(3600 * 1000L);

    switch (place->call) {
    case MSGSND: return snd(place->q, 1, "late", 0);
    case MSGRCV: return rcv(place->q, 0, 0);
    case MQ_SEND: return mq_snd(place->mqd, "late", 1);
    case MQ_RECEIVE: return mq_rcv(place->mqd);
    case MQ_TIMEDSEND: return mq_snd_until(place->mqd, "late", 1, &far);
    default: return mq_rcv_until(place->mqd, &far);
    }
}

/* Lets one waiter go on: takes a message from senders, gives one to receivers. */
SCENE_API void release(const struct place *place)
{
    if (place->call == MSGSND)
        rcv(place->q, 0, IPC_NOWAIT);
    else if (place->call == MSGRCV)
        snd(place->q, 1, "gift", IPC_NOWAIT);
    else if (call_sends(place->call))
        mq_rcv(place->mqd);
    else
        mq_snd(place->mqd, "gift", 1);
}

/* What is left in the queue, taken out. */
SCENE_API void leavings(const struct place *place)
{
    if (call_is_mq(place->call)) {
        mq_state(place->mqd);
        mq_drain(place->mqd);
    } else {
        q_state(place->q);
        drain(place->q);
    }
}

SCENE_API void place_end(const struct place *place)
{
    if (call_is_mq(place->call)) {
        need(mq_close(place->mqd) == 0 && mq_unlink(MQ_NAME) == 0, "mq_unlink");
    } else {
        q_remove(place->q);
    }
}

#endif
