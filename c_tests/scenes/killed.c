/*
 * SIGKILL for one who sleeps in a call: it leaves the line, whether or not its parent has taken notice.
 * Messages go to the others, a dead sender's message does not turn up, no slot is lost.
 */
#include "scene_block.h"

enum { RETURNED };

static void waiter(void *argument)
{
    arrive();
    block_in(argument);
    bump(RETURNED);
}

static struct actor *blocked(const char *name, struct place *place)
{
    struct actor *actor = spawn(name, waiter, place);

    wait_blocked(actor);
    return actor;
}

/* The first in line dies; still a zombie when the next is served. */
static void first_dies_as_zombie(int call)
{
    struct place place = place_new(call);
    struct actor *dies = blocked("first", &place), *lives = blocked("second", &place);

    kill_to_zombie(dies);
    release(&place);
    finish(lives);
    leavings(&place);
    finish(dies);
    leavings(&place);
}

static void first_dies_and_is_buried(int call)
{
    struct place place = place_new(call);
    struct actor *dies = blocked("first", &place), *lives = blocked("second", &place);

    kill(dies->pid, SIGKILL);
    finish(dies);
    release(&place);
    finish(lives);
    leavings(&place);
}

static void one_in_the_middle_dies(int call)
{
    struct place place = place_new(call);
    struct actor *first = blocked("first", &place), *dies = blocked("second", &place), *last = blocked("third", &place);

    kill_to_zombie(dies);
    release(&place);
    await(RETURNED, 1); /* which of two senders is a race in the kernel */
    release(&place);
    finish(first);
    finish(last);
    if (call == MSGSND)
        drain(place.q); /* who sent last is a race */
    else
        leavings(&place);
    finish(dies);
}

/* Nobody is left in the line: messages stay in the queue, room stays room. */
static void the_only_one_dies(int call)
{
    struct place place = place_new(call);
    struct actor *dies = blocked("only", &place);

    kill_to_zombie(dies);
    release(&place);
    leavings(&place);
    finish(dies);
    for (int i = 0; i < 3; i++) {
        if (call_is_mq(call)) {
            mq_snd(place.mqd, "after", 2);
            mq_rcv(place.mqd);
        } else {
            snd(place.q, 2, "aftr", IPC_NOWAIT);
            rcv(place.q, 0, IPC_NOWAIT);
        }
    }
    leavings(&place);
}

static void all_die(int call)
{
    static const char *const names[] = {"w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8"};
    struct place place = place_new(call);
    struct actor *actors[LENGTH(names)], *lives;

    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = blocked(names[i], &place);
    lives = blocked("survivor", &place);
    for (size_t i = 0; i < LENGTH(names); i++)
        kill_to_zombie(actors[i]);
    release(&place);
    finish(lives);
    leavings(&place);
    for (size_t i = 0; i < LENGTH(names); i++)
        finish(actors[i]);
}

/* Line after line of dead waiters: what they held of the queue is given back each time. */
static void many_generations(int call)
{
    struct place place = place_new(call);

    for (int i = 0; i < 40; i++) {
        struct actor *actor = blocked("mortal", &place);
        kill(actor->pid, SIGKILL);
        finish(actor);
    }
    release(&place);
    leavings(&place);
}

/* A whole process with several sleeping threads dies. */
static void family(void *argument)
{
    struct actor *threads[3];

    for (int i = 0; i < 3; i++) {
        threads[i] = spawn_thread("thread", waiter, argument);
        wait_blocked(threads[i]);
    }
    arrive();
    for (;;)
        pause();
}

static void threads_die(int call)
{
    struct place place = place_new(call);
    struct actor *dies = spawn("family", family, &place), *lives;

    wait_blocked(dies);
    lives = blocked("survivor", &place);
    kill_to_zombie(dies);
    release(&place);
    finish(lives);
    leavings(&place);
    finish(dies);
}

/* Dies at any moment of sending or receiving, asleep or not: what is in the queue afterwards is whole. */
static void busy(void *argument)
{
    struct place *place = argument;
    char text[MQ_TEXT_MAX];
    struct message message;

    arrive();
    for (unsigned i = 0;; i++) {
        switch (place->call) {
        case MSGSND: put(place->q, i % 5 + 1, "text", 0); break;
        case MSGRCV: msgrcv(place->q, &message, TEXT_MAX, 0, 0); break;
        case MQ_SEND: mq_put(place->mqd, "text", i % 32768); break;
        default: mq_receive(place->mqd, text, sizeof text, NULL);
        }
    }
}

static void killed_at_work(int is_mq)
{
    struct place place = place_new(is_mq ? MQ_RECEIVE : MSGRCV);
    int bad = 0;

    if (is_mq) {
        place_end(&place);
        place.mqd = mq_new(5);
    } else {
        q_limit(place.q, 40);
    }
    for (int i = 0; i < 60; i++) {
        struct place sends = place, receives = place;
        struct actor *sender, *receiver;
        sends.call = is_mq ? MQ_SEND : MSGSND;
        stage->actors = 0;
        memset(stage->actor, 0, 2 * sizeof stage->actor[0]);
        sender = spawn("sender", busy, &sends);
        receiver = spawn("receiver", busy, &receives);
        while (!__atomic_load_n(&sender->arrived, __ATOMIC_SEQ_CST) ||
               !__atomic_load_n(&receiver->arrived, __ATOMIC_SEQ_CST))
            usleep(100);
        usleep(i * 53 % 1500);
        kill(sender->pid, SIGKILL);
        if (i % 2)
            usleep(i * 31 % 700);
        kill(receiver->pid, SIGKILL);
        waitpid(sender->pid, NULL, 0);
        waitpid(receiver->pid, NULL, 0);
    }
    if (is_mq) {
        char text[MQ_TEXT_MAX];
        mq_nonblock(place.mqd, 1);
        while (mq_receive(place.mqd, text, sizeof text, NULL) != -1)
            bad += memcmp(text, "text", 4) != 0;
        for (int i = 0; i < 7; i++)
            mq_snd(place.mqd, "fits", 0);
    } else {
        struct message message;
        while (msgrcv(place.q, &message, TEXT_MAX, 0, IPC_NOWAIT) != -1)
            bad += memcmp(message.text, "text", 4) != 0;
        for (int i = 0; i < 12; i++)
            snd(place.q, 1, "fits", IPC_NOWAIT);
    }
    say("%d bad messages", bad);
    if (is_mq)
        mq_drain(place.mqd);
    else
        drain(place.q);
}

enum { SYSTEM_V, POSIX };

SCENES(FOR_CALLS(first_dies_as_zombie), FOR_CALLS(first_dies_and_is_buried), FOR_CALLS(one_in_the_middle_dies),
       FOR_CALLS(the_only_one_dies), FOR_CALLS(all_die), FOR_CALLS(many_generations), FOR_CALLS(threads_die),
       SCENE_WITH(killed_at_work, SYSTEM_V), SCENE_WITH(killed_at_work, POSIX))
