/*
 * Several waiters on one System V queue: who gets which message, in which order, and what the queue's
 * own record says of a message that went straight to a sleeping receiver.
 */
#include "scene_msg.h"

enum { RETURNED };

struct part {
    int q;
    long type;
    size_t size;
    int flags;
    char fill;
};

static void receiver(void *argument)
{
    const struct part *part = argument;

    arrive();
    rcv_size(part->q, part->size, part->type, part->flags);
    bump(RETURNED);
}

static void sender(void *argument)
{
    const struct part *part = argument;

    arrive();
    snd_size(part->q, part->type, part->fill, part->size, 0);
    bump(RETURNED);
}

static struct actor *blocked_receiver(const char *name, struct part part)
{
    struct part *kept = malloc(sizeof part);
    struct actor *actor;

    *kept = part;
    actor = spawn(name, receiver, kept);
    wait_blocked(actor);
    return actor;
}

static struct actor *blocked_sender(const char *name, struct part part)
{
    struct part *kept = malloc(sizeof part);
    struct actor *actor;

    *kept = part;
    actor = spawn(name, sender, kept);
    wait_blocked(actor);
    return actor;
}

/* After a step: how many waiters have gone on, and what is left in the queue. */
static void tally(int q, int expected)
{
    await(RETURNED, expected);
    sleep_ms(5);
    say("gone on: %d", count(RETURNED));
    q_state(q);
}

static void first_come_first_served(void)
{
    static const char *const names[] = {"r1", "r2", "r3", "r4", "r5"};
    struct actor *actors[LENGTH(names)];
    int q = q_new();

    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = blocked_receiver(names[i], (struct part){q, 0, TEXT_MAX, 0, 0});
    snd(q, 3, "one", 0);
    snd(q, 1, "two", 0);
    snd(q, 2, "three", 0);
    tally(q, 3);
    snd(q, 9, "four", 0);
    snd(q, 9, "five", 0);
    snd(q, 9, "six", 0);
    for (size_t i = 0; i < LENGTH(names); i++)
        finish(actors[i]);
    q_state(q);
    drain(q);
    q_remove(q);
}

/* Sent in one go while all sleep, more messages than receivers. */
static void burst(void)
{
    static const char *const names[] = {"r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8"};
    struct actor *actors[LENGTH(names)];
    int q = q_new();
    char text[8];

    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = blocked_receiver(names[i], (struct part){q, 0, TEXT_MAX, 0, 0});
    for (int i = 1; i <= 10; i++) {
        snprintf(text, sizeof text, "m%d", i);
        need(put(q, i, text, 0) == 0, "msgsnd");
    }
    rcv(q, 0, IPC_NOWAIT);
    for (size_t i = 0; i < LENGTH(names); i++)
        finish(actors[i]);
    drain(q);
    q_remove(q);
}

static void different_types(void)
{
    int q = q_new();
    struct actor *three = blocked_receiver("type 3", (struct part){q, 3, TEXT_MAX, 0, 0});
    struct actor *one = blocked_receiver("type 1", (struct part){q, 1, TEXT_MAX, 0, 0});
    struct actor *any = blocked_receiver("any", (struct part){q, 0, TEXT_MAX, 0, 0});
    struct actor *other = blocked_receiver("type 3 too", (struct part){q, 3, TEXT_MAX, 0, 0});

    snd(q, 1, "a", 0);
    tally(q, 1);
    snd(q, 3, "b", 0);
    tally(q, 2);
    snd(q, 3, "c", 0);
    tally(q, 3);
    snd(q, 7, "d", 0);
    tally(q, 3);
    snd(q, 3, "e", 0);
    finish(three);
    finish(one);
    finish(any);
    finish(other);
    drain(q);
    q_remove(q);
}

static void negative_types(void)
{
    int q = q_new();
    struct actor *up_to_5 = blocked_receiver("up to 5", (struct part){q, -5, TEXT_MAX, 0, 0});
    struct actor *up_to_2 = blocked_receiver("up to 2", (struct part){q, -2, TEXT_MAX, 0, 0});
    struct actor *up_to_max = blocked_receiver("up to the largest", (struct part){q, LONG_MIN + 1, TEXT_MAX, 0, 0});

    snd(q, 6, "a", 0);
    tally(q, 1);
    snd(q, 6, "b", 0);
    tally(q, 1);
    snd(q, 5, "c", 0);
    tally(q, 2);
    snd(q, 3, "d", 0);
    tally(q, 2);
    snd(q, 2, "e", 0);
    finish(up_to_5);
    finish(up_to_2);
    finish(up_to_max);
    drain(q);
    q_remove(q);
}

static void except_types(void)
{
    int q = q_new();
    struct actor *not_4 = blocked_receiver("not 4", (struct part){q, 4, TEXT_MAX, MSG_EXCEPT, 0});
    struct actor *not_5 = blocked_receiver("not 5", (struct part){q, 5, TEXT_MAX, MSG_EXCEPT, 0});
    struct actor *four = blocked_receiver("4", (struct part){q, 4, TEXT_MAX, 0, 0});

    snd(q, 4, "a", 0);
    tally(q, 1);
    snd(q, 4, "b", 0);
    tally(q, 2);
    snd(q, 4, "c", 0);
    tally(q, 2);
    snd(q, 5, "d", 0);
    finish(not_4);
    finish(not_5);
    finish(four);
    drain(q);
    q_remove(q);
}

/* MSG_EXCEPT with type 0 or a negative one means nothing. */
static void except_with_odd_types(void)
{
    int q = q_new();
    struct actor *zero = blocked_receiver("except 0", (struct part){q, 0, TEXT_MAX, MSG_EXCEPT, 0});
    struct actor *minus = blocked_receiver("except -2", (struct part){q, -2, TEXT_MAX, MSG_EXCEPT, 0});

    snd(q, 9, "a", 0);
    tally(q, 1);
    snd(q, 3, "b", 0);
    tally(q, 1);
    snd(q, 2, "c", 0);
    finish(zero);
    finish(minus);
    drain(q);
    q_remove(q);
}

/* Who does not sleep yet cannot take what a sleeper waits for, however fast it asks. */
enum { ROUNDS = 200 };

static void steady_receiver(void *argument)
{
    struct message message;
    int received = 0;

    for (int i = 0; i < ROUNDS; i++) {
        arrive();
        received += msgrcv(*(int *)argument, &message, TEXT_MAX, 0, 0) == 4;
    }
    say("received %d", received);
}

static void no_overtaking(void)
{
    int q = q_new(), overtaken = 0;
    struct actor *actor = spawn("sleeper", steady_receiver, &q);
    struct message message;

    for (int i = 0; i < ROUNDS; i++) {
        wait_blocked(actor);
        need(put(q, 1, "text", 0) == 0, "msgsnd");
        while (msgrcv(q, &message, TEXT_MAX, 0, IPC_NOWAIT) != -1) {
            overtaken++;
            put(q, 1, "text", 0);
        }
    }
    say("overtaken %d times", overtaken);
    finish(actor);
    q_remove(q);
}

/* A matching message too long for a sleeper ends its sleep with E2BIG and goes on to the next. */
static void too_long_for_some(void)
{
    int q = q_new();
    struct actor *small = blocked_receiver("small", (struct part){q, 0, 3, 0, 0});
    struct actor *other = blocked_receiver("small, other type", (struct part){q, 8, 3, 0, 0});
    struct actor *smaller = blocked_receiver("smaller", (struct part){q, -9, 2, 0, 0});
    struct actor *big = blocked_receiver("big", (struct part){q, 0, 10, 0, 0});
    struct actor *last = blocked_receiver("last", (struct part){q, 0, 10, 0, 0});

    snd(q, 5, "12345", 0);
    tally(q, 3);
    snd(q, 5, "123456", 0);
    tally(q, 4);
    snd(q, 8, "ok", 0);
    finish(small);
    finish(other);
    finish(smaller);
    finish(big);
    finish(last);
    drain(q);
    q_remove(q);
}

static void too_long_for_all(void)
{
    int q = q_new();
    struct actor *small = blocked_receiver("small", (struct part){q, 0, 3, 0, 0});
    struct actor *none = blocked_receiver("nothing", (struct part){q, 0, 0, 0, 0});

    snd(q, 5, "12345", 0);
    tally(q, 2);
    finish(small);
    finish(none);
    rcv_size(q, 4, 0, IPC_NOWAIT);
    drain(q);
    q_remove(q);
}

static void shortened(void)
{
    int q = q_new();
    struct actor *small = blocked_receiver("small", (struct part){q, 0, 3, MSG_NOERROR, 0});
    struct actor *none = blocked_receiver("nothing", (struct part){q, 0, 0, MSG_NOERROR, 0});

    snd(q, 5, "12345", 0);
    snd(q, 5, "12345", 0);
    tally(q, 2);
    finish(small);
    finish(none);
    drain(q);
    q_remove(q);
}

/* A sleeper with a type that is queued behind a message of another type does not keep anybody waiting. */
static void queue_with_others(void)
{
    int q = q_new();
    struct actor *two;

    snd(q, 1, "kept", 0);
    two = blocked_receiver("type 2", (struct part){q, 2, TEXT_MAX, 0, 0});
    q_state(q);
    snd(q, 2, "for two", 0);
    finish(two);
    q_state(q);
    drain(q);
    q_remove(q);
}

/* ---- senders ---- */

static void sender_that_fits_goes(void)
{
    int q = q_new();
    struct actor *big, *small;

    q_limit(q, 100);
    snd_size(q, 1, 'a', 10, 0);
    snd_size(q, 1, 'b', 90, 0);
    big = blocked_sender("big", (struct part){q, 2, 80, 0, 'B'});
    small = blocked_sender("small", (struct part){q, 3, 10, 0, 'S'});
    rcv(q, 0, IPC_NOWAIT);
    finish(small);
    tally(q, 1);
    wait_asleep(big);
    rcv(q, 0, IPC_NOWAIT);
    finish(big);
    q_state(q);
    drain(q);
    q_remove(q);
}

/* A small message sent without waiting overtakes a big one that waits. */
static void sender_overtakes(void)
{
    int q = q_new();
    struct actor *big;

    q_limit(q, 100);
    snd_size(q, 1, 'a', 50, 0);
    big = blocked_sender("big", (struct part){q, 2, 80, 0, 'B'});
    snd_size(q, 3, 'c', 20, IPC_NOWAIT);
    snd_size(q, 3, 'd', 40, IPC_NOWAIT);
    q_state(q);
    rcv(q, 1, IPC_NOWAIT);
    finish(big);
    q_state(q);
    drain(q);
    q_remove(q);
}

/* Several fit at once: all go; their order is a race, so only the sum is shown. */
static void several_fit(void)
{
    static const char *const names[] = {"s1", "s2", "s3", "s4"};
    struct actor *actors[LENGTH(names)];
    int q = q_new();

    q_limit(q, 100);
    snd_size(q, 1, 'a', 100, 0);
    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = blocked_sender(names[i], (struct part){q, 2, 25, 0, 's'});
    rcv(q, 0, IPC_NOWAIT);
    await(RETURNED, 4);
    for (size_t i = 0; i < LENGTH(names); i++)
        finish(actors[i]);
    drain(q);
    q_remove(q);
}

/* One at a time fits; each receive lets one go on, and all get through. */
static void one_fits(void)
{
    static const char *const names[] = {"s1", "s2", "s3"};
    struct actor *actors[LENGTH(names)];
    int q = q_new();

    q_limit(q, 100);
    snd_size(q, 1, 'a', 60, 0);
    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = blocked_sender(names[i], (struct part){q, 2, 60, 0, 's'});
    for (int i = 1; i <= 3; i++) {
        rcv(q, 0, 0);
        await(RETURNED, i);
        sleep_ms(5);
        say("gone on: %d", count(RETURNED));
    }
    for (size_t i = 0; i < LENGTH(names); i++)
        finish(actors[i]);
    drain(q);
    q_remove(q);
}

/* Receivers waiting for one type, senders with another: they meet only through the right message. */
static void both_sleep(void)
{
    int q = q_new();
    struct actor *receives, *sends;

    q_limit(q, 100);
    snd_size(q, 1, 'a', 100, 0);
    receives = blocked_receiver("receiver of 2", (struct part){q, 2, TEXT_MAX, 0, 0});
    sends = blocked_sender("sender of 2", (struct part){q, 2, 40, 0, 's'});
    tally(q, 0);
    rcv(q, 0, IPC_NOWAIT);
    finish(sends);
    finish(receives);
    q_state(q);
    q_remove(q);
}

/* ---- the record of a hand-over ---- */

static void handed_over(void)
{
    int q = q_new();
    struct actor *actor;

    q_state(q);
    actor = blocked_receiver("receiver", (struct part){q, 4, TEXT_MAX, 0, 0});
    q_state(q);
    snd(q, 4, "straight", 0);
    q_state(q);
    finish(actor);
    q_state(q);
    q_remove(q);
}

static void handed_over_with_e2big(void)
{
    int q = q_new();
    struct actor *actor = blocked_receiver("receiver", (struct part){q, 4, 2, 0, 0});

    snd(q, 4, "too long", 0);
    q_state(q);
    finish(actor);
    q_state(q);
    drain(q);
    q_state(q);
    q_remove(q);
}

SCENES(SCENE(first_come_first_served), SCENE(burst), SCENE(different_types), SCENE(negative_types),
       SCENE(except_types), SCENE(except_with_odd_types), SCENE(no_overtaking), SCENE(too_long_for_some),
       SCENE(too_long_for_all), SCENE(shortened), SCENE(queue_with_others), SCENE(sender_that_fits_goes),
       SCENE(sender_overtakes), SCENE(several_fit), SCENE(one_fits), SCENE(both_sleep), SCENE(handed_over),
       SCENE(handed_over_with_e2big))
