/*
 * Several waiters on one POSIX queue. A sleeping receiver is handed the message; a sleeping sender's
 * message is taken over by the receive that makes room, so that the queue is full again at once.
 */
#include "scene_mq.h"
#include <sys/resource.h>

enum { RETURNED, GO };

struct part {
    mqd_t mqd;
    const char *text;
    unsigned priority;
    int nice;
};

static void receiver(void *argument)
{
    const struct part *part = argument;

    if (part->nice != 0)
        need(setpriority(PRIO_PROCESS, 0, part->nice) == 0, "setpriority");
    arrive();
    mq_rcv(part->mqd);
    bump(RETURNED);
}

static void sender(void *argument)
{
    const struct part *part = argument;

    if (part->nice != 0)
        need(setpriority(PRIO_PROCESS, 0, part->nice) == 0, "setpriority");
    arrive();
    mq_snd(part->mqd, part->text, part->priority);
    bump(RETURNED);
}

static struct actor *blocked(void (*body)(void *), const char *name, struct part part)
{
    struct part *kept = malloc(sizeof part);
    struct actor *actor;

    *kept = part;
    actor = spawn(name, body, kept);
    wait_blocked(actor);
    return actor;
}

static void receivers_in_order(void)
{
    static const char *const names[] = {"r1", "r2", "r3", "r4", "r5", "r6"};
    struct actor *actors[LENGTH(names)];
    mqd_t mqd = mq_new(4);

    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = blocked(receiver, names[i], (struct part){mqd, NULL, 0, 0});
    mq_snd(mqd, "low", 1);
    mq_snd(mqd, "high", 9);
    mq_snd(mqd, "middle", 5);
    mq_state(mqd);
    await(RETURNED, 3);
    mq_snd(mqd, "four", 0);
    mq_snd(mqd, "five", 0);
    mq_snd(mqd, "six", 0);
    mq_snd(mqd, "seven", 0);
    for (size_t i = 0; i < LENGTH(names); i++)
        finish(actors[i]);
    mq_state(mqd);
    mq_drain(mqd);
}

/* A receive that does not wait finds nothing while somebody sleeps, right after the send. */
enum { ROUNDS = 200 };

static void steady_receiver(void *argument)
{
    char text[MQ_TEXT_MAX];
    int received = 0;

    for (int i = 0; i < ROUNDS; i++) {
        arrive();
        received += mq_receive(*(mqd_t *)argument, text, sizeof text, NULL) == 4;
    }
    say("received %d", received);
}

static void no_overtaking(void)
{
    mqd_t mqd = mq_new(4), quick = mq_again(O_RDWR | O_NONBLOCK);
    struct actor *actor = spawn("sleeper", steady_receiver, &mqd);
    char text[MQ_TEXT_MAX];
    int overtaken = 0;

    for (int i = 0; i < ROUNDS; i++) {
        wait_blocked(actor);
        need(mq_put(mqd, "text", 0) == 0, "mq_send");
        while (mq_receive(quick, text, sizeof text, NULL) != -1) {
            overtaken++;
            mq_put(mqd, "text", 0);
        }
    }
    say("overtaken %d times", overtaken);
    finish(actor);
}

static void senders_in_order(void)
{
    static const char *const names[] = {"s1", "s2", "s3", "s4", "s5"};
    struct actor *actors[LENGTH(names)];
    mqd_t mqd = mq_new(1);

    mq_fill(mqd, 3);
    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = blocked(sender, names[i], (struct part){mqd, names[i], 9 - i, 0});
    for (size_t i = 0; i < LENGTH(names); i++) {
        mq_rcv(mqd);
        mq_state(mqd);
        finish(actors[i]);
    }
    mq_drain(mqd);
}

/* The taken-over message takes its place by its priority. */
static void taken_over_by_priority(void)
{
    mqd_t mqd = mq_new(3);
    struct actor *low, *high, *middle;

    mq_fill(mqd, 5);
    low = blocked(sender, "low", (struct part){mqd, "low", 1, 0});
    high = blocked(sender, "high", (struct part){mqd, "high", 9, 0});
    middle = blocked(sender, "middle", (struct part){mqd, "middle", 5, 0});
    mq_state(mqd);
    mq_rcv(mqd);
    mq_state(mqd);
    mq_rcv(mqd);
    mq_state(mqd);
    mq_rcv(mqd);
    mq_state(mqd);
    finish(low);
    finish(high);
    finish(middle);
    mq_drain(mqd);
}

/* Right after a receive a second one that does not wait gets the sleeper's message. */
static void taken_over_at_once(void)
{
    static const char *const names[] = {"s1", "s2", "s3"};
    struct actor *actors[LENGTH(names)];
    mqd_t mqd = mq_new(1), quick = mq_again(O_RDWR | O_NONBLOCK);

    mq_fill(mqd, 3);
    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = blocked(sender, names[i], (struct part){mqd, names[i], 3, 0});
    mq_rcv(quick);
    mq_rcv(quick);
    mq_rcv(quick);
    mq_rcv(quick);
    mq_rcv(quick);
    for (size_t i = 0; i < LENGTH(names); i++)
        finish(actors[i]);
}

/* A send that does not wait finds the queue full although a message was just taken out of it. */
static void no_slot_for_others(void)
{
    mqd_t mqd = mq_new(2), quick = mq_again(O_RDWR | O_NONBLOCK);
    struct actor *actor;

    mq_fill(mqd, 3);
    actor = blocked(sender, "sleeper", (struct part){mqd, "sleeper's", 3, 0});
    mq_rcv(quick);
    mq_snd(quick, "too late", 9);
    finish(actor);
    mq_rcv(quick);
    mq_snd(quick, "now", 9);
    mq_drain(mqd);
}

/* The kernel serves waiters by their scheduling priority first (ipc/mqueue.c: wq_add). */
static void nice_receivers(void)
{
    mqd_t mqd = mq_new(4);
    struct actor *nicest = blocked(receiver, "nice 15", (struct part){mqd, NULL, 0, 15});
    struct actor *nice = blocked(receiver, "nice 5", (struct part){mqd, NULL, 0, 5});
    struct actor *normal = blocked(receiver, "nice 0", (struct part){mqd, NULL, 0, 0});
    struct actor *normal2 = blocked(receiver, "nice 0, second", (struct part){mqd, NULL, 0, 0});

    mq_snd(mqd, "one", 0);
    mq_snd(mqd, "two", 0);
    mq_snd(mqd, "three", 0);
    mq_snd(mqd, "four", 0);
    finish(nicest);
    finish(nice);
    finish(normal);
    finish(normal2);
}

static void nice_senders(void)
{
    mqd_t mqd = mq_new(1);
    struct actor *nice, *normal;

    mq_fill(mqd, 0);
    nice = blocked(sender, "nice 10", (struct part){mqd, "nice", 0, 10});
    normal = blocked(sender, "nice 0", (struct part){mqd, "normal", 0, 0});
    mq_rcv(mqd);
    mq_rcv(mqd);
    mq_rcv(mqd);
    finish(nice);
    finish(normal);
}

/* The queue's name goes away while somebody sleeps on it: nothing changes for those who have it open. */
static void unlinked(void)
{
    mqd_t mqd = mq_new(1), other;
    struct actor *waits = blocked(receiver, "receiver", (struct part){mqd, NULL, 0, 0});

    say("mq_unlink %s", result(mq_unlink(MQ_NAME)));
    other = mq_new(1);
    mq_snd(other, "for the new queue", 0);
    wait_asleep(waits);
    say("returned: %d", count(RETURNED));
    mq_snd(mqd, "for the old queue", 0);
    finish(waits);
    mq_rcv(other);
}

/* The sleeper's own process closes its descriptor, from another thread: the sleep goes on. */
static void closed_meanwhile(void)
{
    mqd_t mqd = mq_new(1), other = mq_again(O_RDWR);
    struct part part = {mqd, NULL, 0, 0};
    struct actor *actor = spawn_thread("thread", receiver, &part);

    wait_blocked(actor);
    say("mq_close %s", result(mq_close(mqd)));
    wait_asleep(actor);
    say("returned: %d", count(RETURNED));
    mq_snd(other, "still served", 0);
    finish(actor);
    mq_state(mqd);
}

static void closed_sender(void)
{
    mqd_t mqd = mq_new(1), other = mq_again(O_RDWR);
    struct part part = {mqd, "last words", 7, 0};
    struct actor *actor;

    mq_fill(mqd, 0);
    actor = spawn_thread("thread", sender, &part);
    wait_blocked(actor);
    say("mq_close %s", result(mq_close(mqd)));
    mq_rcv(other);
    finish(actor);
    mq_drain(other);
}

/* O_NONBLOCK set on the open description while somebody sleeps: who sleeps, sleeps on. */
static void nonblock_meanwhile(void)
{
    mqd_t mqd = mq_new(1);
    struct actor *actor = blocked(receiver, "receiver", (struct part){mqd, NULL, 0, 0});

    mq_nonblock(mqd, 1);
    wait_asleep(actor);
    say("returned: %d", count(RETURNED));
    mq_rcv(mqd);
    mq_snd(mqd, "hello", 0);
    finish(actor);
}

/* Receivers and senders asleep one after the other on the same queue. */
static void taking_turns(void)
{
    mqd_t mqd = mq_new(1);

    for (int i = 0; i < 5; i++) {
        struct actor *actor = blocked(receiver, "receiver", (struct part){mqd, NULL, 0, 0});
        mq_snd(mqd, "direct", i);
        mq_snd(mqd, "kept", i);
        finish(actor);
        actor = blocked(sender, "sender", (struct part){mqd, "waits", i + 1, 0});
        mq_rcv(mqd);
        finish(actor);
        mq_rcv(mqd);
        mq_state(mqd);
    }
}

SCENES(SCENE(receivers_in_order), SCENE(no_overtaking), SCENE(senders_in_order), SCENE(taken_over_by_priority),
       SCENE(taken_over_at_once), SCENE(no_slot_for_others), SCENE(nice_receivers), SCENE(nice_senders),
       SCENE(unlinked), SCENE(closed_meanwhile), SCENE(closed_sender), SCENE(nonblock_meanwhile),
       SCENE(taking_turns))
