/* MSG_INFO: how many queues there are, and how many messages and bytes in all of them. */
#include "scene_msg.h"

enum { QUEUES = 200 };

static void say_totals(const char *when)
{
    struct msginfo info;

    need(msgctl(0, MSG_INFO, (struct msqid_ds *)&info) != -1, "MSG_INFO");
    say("%s: %d queues, %d messages, %d bytes", when, info.msgpool, info.msgmap, info.msgtql);
}

/* Queues that nobody has sent to for a while count like the others once somebody does. */
static void idle(void)
{
    int first = q_new(), second = q_new();

    say_totals("new");
    put(first, 1, "one", 0);
    put(second, 1, "two!", 0);
    say_totals("sent");
    drain(first);
    say_totals("one is empty");
    sleep(3);
    say_totals("for long");
    say_totals("again");
    put(first, 2, "more", 0);
    say_totals("sent");
    put(first, 2, "and more", 0);
    drain(second);
    sleep(3);
    say_totals("the other is empty for long");
    put(second, 1, "x", 0);
    say_totals("sent");
    q_remove(first);
    say_totals("removed");
    q_remove(second);
    say_totals("removed");
}

static void sends(void *argument) { put(*(int *)argument, 1, "child's", 0); }

/* By another process than the one that asks, which has passed the queue over. */
static void sent_by_another(void)
{
    int q = q_new();

    put(q, 1, "x", 0);
    drain(q);
    sleep(3);
    say_totals("idle");
    finish(spawn("child", sends, &q));
    say_totals("sent");
}

/* Another queue at the place of a removed one. */
static void in_its_place(void)
{
    for (int i = 0; i < 3; i++) {
        int q = q_new();
        put(q, 1, "x", 0);
        say_totals("sent");
        if (i == 1) {
            drain(q);
            sleep(3);
            say_totals("idle");
        }
        q_remove(q);
        say_totals("removed");
    }
}

static void many(void)
{
    int queues[QUEUES];

    for (int i = 0; i < QUEUES; i++)
        queues[i] = q_new();
    say_totals("new");
    for (int i = 0; i < QUEUES; i += 7)
        put(queues[i], 1, "some", 0);
    say_totals("sent");
    for (int i = 0; i < QUEUES; i += 2)
        q_remove(queues[i]);
    say_totals("half of them removed");
    for (int i = 1; i < QUEUES; i += 2)
        drain(queues[i]);
    say_totals("drained");
}

SCENES(SCENE(idle), SCENE(sent_by_another), SCENE(in_its_place), SCENE(many))
