/*
 * pthread_cancel: the blocking calls are cancellation points. A thread cancelled in one runs its cleanup
 * handlers and leaves nothing behind: no place in the line, no message lost, none sent.
 */
#include "scene_block.h"

enum { CLEANED, GO, READY, RETURNED };

struct part {
    struct place place;
    int type;
};

static void cleaned(void *argument)
{
    say("cleanup: %s", (const char *)argument);
    bump(CLEANED);
}

static void sleeper(void *argument)
{
    struct part *part = argument;

    pthread_setcanceltype(part->type, NULL);
    pthread_cleanup_push(cleaned, (void *)"outer");
    pthread_cleanup_push(cleaned, (void *)"inner");
    arrive();
    block_in(&part->place);
    say("the call came back");
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
}

static struct actor *cancelled_sleeper(struct part *part)
{
    struct actor *actor = spawn_thread("thread", sleeper, part);

    wait_blocked(actor);
    pthread_cancel(actor->thread);
    return actor;
}

static void asleep(int call)
{
    struct part part = {place_new(call), PTHREAD_CANCEL_DEFERRED};

    finish(cancelled_sleeper(&part));
    say("cleaned %d times", count(CLEANED));
    leavings(&part.place);
    for (int i = 0; i < 3; i++) {
        if (call_is_mq(call)) {
            mq_snd(part.place.mqd, "after", 2);
            mq_rcv(part.place.mqd);
        } else {
            snd(part.place.q, 2, "aftr", IPC_NOWAIT);
            rcv(part.place.q, 0, IPC_NOWAIT);
        }
    }
}

static void asleep_asynchronous(int call)
{
    struct part part = {place_new(call), PTHREAD_CANCEL_ASYNCHRONOUS};

    finish(cancelled_sleeper(&part));
    leavings(&part.place);
}

/* The next in line is served, be it a thread or another process. */
static void waiter(void *argument)
{
    arrive();
    block_in(argument);
}

static void next_in_line(int call)
{
    struct part part = {place_new(call), PTHREAD_CANCEL_DEFERRED};
    struct actor *cancelled = spawn_thread("first", sleeper, &part), *thread, *process;

    wait_blocked(cancelled);
    wait_blocked(thread = spawn_thread("second", waiter, &part.place));
    pthread_cancel(cancelled->thread);
    finish(cancelled);
    release(&part.place);
    finish(thread);
    process = spawn("third", waiter, &part.place);
    if (call_sends(call))
        wait_blocked(process);
    release(&part.place);
    finish(process);
    leavings(&part.place);
}

/* Disabled, a cancellation waits until it is allowed. */
static void disabled(void *argument)
{
    struct part *part = argument;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    arrive();
    block_in(&part->place);
    say("not cancelled");
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    pthread_testcancel();
    say("never reached");
}

static void while_disabled(int call)
{
    struct part part = {place_new(call), 0};
    struct actor *actor = spawn_thread("thread", disabled, &part);

    wait_blocked(actor);
    pthread_cancel(actor->thread);
    wait_asleep(actor);
    release(&part.place);
    finish(actor);
    leavings(&part.place);
}

/* Pending when the call begins: the call does not do its work, though it could at once. */
static void spins_until_cancelled(void)
{
    bump(READY);
    while (count(GO) == 0)
        ;
}

static void ready_caller(void *argument)
{
    struct part *part = argument;

    pthread_cleanup_push(cleaned, (void *)"ready");
    spins_until_cancelled();
    block_in(&part->place);
    say("the call came back");
    pthread_cleanup_pop(0);
}

static void pending(int call)
{
    struct part part = {place_new(call), 0};
    struct actor *actor;

    release(&part.place); /* now the call would not have to wait */
    actor = spawn_thread("thread", ready_caller, &part);
    await(READY, 1);
    pthread_cancel(actor->thread);
    bump(GO);
    finish(actor);
    leavings(&part.place);
}

/* The cleanup handler uses the queue that the cancelled call slept on. */
static struct place *cleanup_place;

static void use_queue(void *argument)
{
    (void)argument;
    release(cleanup_place);
    leavings(cleanup_place);
}

static void sleeper_with_use(void *argument)
{
    cleanup_place = argument;
    pthread_cleanup_push(use_queue, NULL);
    arrive();
    block_in(argument);
    pthread_cleanup_pop(0);
}

static void cleanup_uses_queue(int call)
{
    struct place place = place_new(call);
    struct actor *actor = spawn_thread("thread", sleeper_with_use, &place);

    wait_blocked(actor);
    pthread_cancel(actor->thread);
    finish(actor);
    leavings(&place);
}

/* Many times over: nothing piles up. */
static void many_times(int call)
{
    struct part part = {place_new(call), PTHREAD_CANCEL_DEFERRED};

    for (int i = 0; i < 60; i++) {
        struct actor *actor;
        void *value;
        stage->actors = 0;
        memset(stage->actor, 0, sizeof stage->actor[0]);
        actor = cancelled_sleeper(&part);
        pthread_join(actor->thread, &value);
        if (value != PTHREAD_CANCELED)
            say("round %d was not cancelled", i);
    }
    say("cleaned %d times", count(CLEANED));
    release(&part.place);
    leavings(&part.place);
}

/* Cancelled while the message comes: it is either in the thread's hands or in the queue. */
static char landed[sizeof(struct message)];

static void *landing(void *argument)
{
    const struct place *place = argument;
    struct timespec far = in_ms(3600 * 1000L);

    bump(READY);
    if (place->call == MSGRCV)
        msgrcv(place->q, landed, TEXT_MAX, 0, 0);
    else if (place->call == MQ_RECEIVE)
        mq_receive(place->mqd, landed, MQ_TEXT_MAX, NULL);
    else
        mq_timedreceive(place->mqd, landed, MQ_TEXT_MAX, NULL, &far);
    return NULL;
}

static void with_a_message(int call)
{
    struct place place = place_new(call);
    int lost = 0, twice = 0;

    for (int i = 0; i < 300; i++) {
        pthread_t thread;
        int in_hand, in_queue;
        memset(landed, 0, sizeof landed);
        need(pthread_create(&thread, NULL, landing, &place) == 0, "pthread_create");
        await(READY, i + 1);
        usleep(i % 5 * 30);
        if (call_is_mq(call))
            mq_put(place.mqd, "gift", 1);
        else
            put(place.q, 1, "gift", IPC_NOWAIT);
        pthread_cancel(thread);
        pthread_join(thread, NULL);
        in_hand = memmem(landed, sizeof landed, "gift", 4) != NULL;
        if (call_is_mq(call)) {
            struct timespec past = {1, 0};
            in_queue = mq_timedreceive(place.mqd, (char[MQ_TEXT_MAX]){0}, MQ_TEXT_MAX, NULL, &past) != -1;
        } else {
            in_queue = msgrcv(place.q, landed, TEXT_MAX, 0, IPC_NOWAIT) != -1;
        }
        lost += !in_hand && !in_queue;
        twice += in_hand && in_queue;
    }
    say("%d lost, %d twice", lost, twice);
    if (call_is_mq(call))
        mq_drain(place.mqd);
    else
        drain(place.q);
}

/* ---- what is no cancellation point ---- */

static void calls_that_do_not_wait(void *argument)
{
    struct msqid_ds ds;
    struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
    mqd_t mqd;
    int q;

    (void)argument;
    spins_until_cancelled();
    q = msgget(IPC_PRIVATE, 0600);
    say("msgget %s", q == -1 ? result(-1) : "works");
    say("msgctl %s", result(msgctl(q, IPC_STAT, &ds)));
    say("msgctl %s", result(msgctl(q, IPC_RMID, NULL)));
    mqd = mq_open("/scene-cancel", O_CREAT | O_RDWR, 0600, &attr);
    say("mq_open %s", mqd == (mqd_t)-1 ? result(-1) : "works");
    say("mq_getattr %s", result(mq_getattr(mqd, &attr)));
    say("mq_setattr %s", result(mq_setattr(mqd, &attr, NULL)));
    say("mq_notify %s", result(mq_notify(mqd, NULL)));
    say("mq_unlink %s", result(mq_unlink("/scene-cancel")));
    say("mq_close %s", result(mq_close(mqd)));
    pthread_testcancel();
    say("never reached");
}

static void no_cancellation_points(void)
{
    struct actor *actor = spawn_thread("thread", calls_that_do_not_wait, NULL);

    await(READY, 1);
    pthread_cancel(actor->thread);
    bump(GO);
    finish(actor);
}

/* IPC_NOWAIT and O_NONBLOCK make a call no less of a cancellation point. */
static void nowait_caller(void *argument)
{
    struct place *place = argument;

    spins_until_cancelled();
    if (place->call == MSGRCV)
        rcv(place->q, 0, IPC_NOWAIT);
    else
        mq_rcv(place->mqd);
    say("the call came back");
}

static void nowait(int call)
{
    struct place place = place_new(call);
    struct actor *actor;

    release(&place);
    if (call == MQ_RECEIVE)
        mq_nonblock(place.mqd, 1);
    actor = spawn_thread("thread", nowait_caller, &place);
    await(READY, 1);
    pthread_cancel(actor->thread);
    bump(GO);
    finish(actor);
    leavings(&place);
}

SCENES(FOR_CALLS(asleep), FOR_CALLS(asleep_asynchronous), FOR_CALLS(next_in_line), FOR_CALLS(while_disabled),
       FOR_CALLS(pending), FOR_CALLS(cleanup_uses_queue), FOR_CALLS(many_times), SCENE_WITH(with_a_message, MSGRCV),
       SCENE_WITH(with_a_message, MQ_RECEIVE), SCENE_WITH(with_a_message, MQ_TIMEDRECEIVE),
       SCENE(no_cancellation_points), SCENE_WITH(nowait, MSGRCV), SCENE_WITH(nowait, MQ_RECEIVE))
