/*
 * Arrays of operations: all or nothing, one semaphore several times, IPC_NOWAIT on some only, and which
 * of the operations a blocked array is counted as waiting for.
 */
#include "scene_sem.h"

static void step(int set, const char *text)
{
    op(set, text);
    set_state(set);
}

static void all_or_nothing(void)
{
    int set = set_new(3);

    setall(set, 1, 1, 0);
    step(set, "0-1 1-1 2-1n");
    step(set, "0+5 1-1 2-1n");
    step(set, "0-1 1-1 2+1");
    step(set, "0+1 2+1 1=0 2-2");
    step(set, "0=0n 2+1");
    step(set, "0+1 0=0n");
}

/* Operations on one semaphore are done in the order of the array. */
static void the_same_semaphore(void)
{
    static const char *const texts[] = {"0+1 0-1",      "0-1n 0+1",     "0-1n 0=0",       "0=0n 0+1",
                                        "0=0n 0-1n",    "0-1n 0=0n",    "0+2 0-1 0-1 0=0", "0+2 0-1 0=0n 0-1",
                                        "0+3 0-5n 0+9", "0+3 0-2 0+3",  "0-4n 0=0 0+4",    "0-5n",
                                        "0-1 0-1 0-1n", "0-1 0-1n 0-1"};
    int set = set_new(1);

    for (size_t i = 0; i < LENGTH(texts); i++)
        step(set, texts[i]);
}

/* The value may not go beyond its limit even for a moment within the array. */
static void limits_within(void)
{
    int set = set_new(2);

    setval(set, 0, SEM_MAX);
    step(set, "0+1");
    step(set, "0-1 0+1");
    step(set, "0+1 0-1");
    step(set, "1+1 0+1");
    step(set, "0-1n 1-1n 0+2");
    step(set, "1-1n 0+1");
    step(set, "0+1n 1-1n");
    step(set, "0-32767 0+32767 1+32767");
    step(set, "0-32767 1-32767");
    step(set, "0-32767n");
}

/* Of the two operations that cannot be done the first decides whether to wait. */
static void nowait_on_one(void)
{
    int set = set_new(3);
    struct actor *a, *b;

    step(set, "0-1n 1-1");
    step(set, "0+1 1-1n 2-1");
    a = sleeps("a", set, "0-1 1-1n");
    b = sleeps("b", set, "2-1 0-1n 1-1n");
    set_state(set);
    step(set, "0+1");
    finish(a);
    step(set, "2+1");
    finish(b);
    step(set, "0-1");
}

/* A sleeper who wakes to find the next operation impossible and marked IPC_NOWAIT ends with EAGAIN. */
static void again_while_asleep(void)
{
    int set = set_new(2);
    struct actor *a = sleeps("a", set, "0-1 1-1n"), *b = sleeps("b", set, "0-1 1=0n");

    setval(set, 1, 0);
    step(set, "0+2");
    finish(a);
    finish(b);
    set_state(set);
}

/* GETNCNT and GETZCNT count a blocked array where it blocks, not at each of its operations. */
static void counted_where_it_blocks(void)
{
    int set = set_new(4);
    struct actor *actors[4];

    setall(set, 0, 1, 1);
    ctl_val(set, 3, 1);
    actors[0] = sleeps("first", set, "0-1 1-1 2-1");
    actors[1] = sleeps("second", set, "1-1 0-1 2-1");
    actors[2] = sleeps("third", set, "1-1 2-1 0-1");
    actors[3] = sleeps("zero", set, "3=0 0-1");
    set_state(set);
    setval(set, 1, 0);
    set_state(set);
    setval(set, 2, 0);
    set_state(set);
    setval(set, 3, 0);
    set_state(set);
    step(set, "0+1");
    setval(set, 1, 1);
    set_state(set);
    step(set, "1+3 2+1");
    step(set, "0+2 2+2");
    step(set, "0+1 1+1");
    for (size_t i = 0; i < LENGTH(actors); i++)
        finish(actors[i]);
    set_state(set);
}

/* Who waits for several to be zero is looked at after SETVAL when any semaphore is zero, whichever has got the value. */
static void counted_anew(void)
{
    int set = set_new(4);
    struct actor *zeros;

    setall(set, 2, 0, 1);
    setval(set, 3, 1);
    zeros = sleeps("zeros", set, "1=0 0=0");
    set_state(set);
    step(set, "1+1");
    setval(set, 1, 2);
    set_state(set);
    setval(set, 2, 0);
    set_state(set);
    setval(set, 1, 0);
    set_state(set);
    step(set, "1+1");
    setval(set, 3, 5);
    set_state(set);
    step(set, "1-1");
    step(set, "0-2");
    finish(zeros);
    set_state(set);
}

/* The same semaphore in both roles, and counted by several sleepers. */
static void counted_twice(void)
{
    int set = set_new(2);
    struct actor *a, *b, *c, *d;

    setval(set, 1, 1);
    a = sleeps("a", set, "0-1 1=0");
    b = sleeps("b", set, "1=0 0-1");
    c = sleeps("c", set, "0+1 0-2");
    d = sleeps("d", set, "1=0 1+1");
    set_state(set);
    setval(set, 1, 0);
    set_state(set);
    step(set, "1-1");
    step(set, "0+2");
    step(set, "1-1n");
    step(set, "0+1");
    finish(a);
    finish(b);
    finish(c);
    finish(d);
}

/* Some of a sleeper's operations could be done all the time; nothing of them shows before all can. */
static void nothing_shows(void)
{
    int set = set_new(3);
    struct actor *actor = sleeps("array", set, "0+5 1+5 2-1");

    set_state(set);
    step(set, "0=0n 1=0n");
    step(set, "2+1");
    finish(actor);
    set_state(set);
}

/* The order of semaphores in the array is free, and numbers may repeat. */
static void any_order(void)
{
    int set = set_new(4);

    step(set, "3+1 0+2 2+3 1+4");
    step(set, "2-1 3-1 0-1 2-1 1-4 0-1 2-1");
    step(set, "1+1 3+1 1-1 3-1");
}

static void five_hundred(void)
{
    struct sembuf list[OPS_MAX + 1];
    int set = set_new(SHOWN_MAX);

    for (int i = 0; i < OPS_MAX + 1; i++)
        list[i] = (struct sembuf){(unsigned short)(i % SHOWN_MAX), 3, 0};
    say("500 operations %s", result(semop(set, list, OPS_MAX)));
    set_state(set);
    say("501 operations %s", result(semop(set, list, OPS_MAX + 1)));
    list[OPS_MAX - 1] = (struct sembuf){0, -1000, IPC_NOWAIT};
    say("the last impossible %s", result(semop(set, list, OPS_MAX)));
    set_state(set);
    list[OPS_MAX - 1] = (struct sembuf){SHOWN_MAX, 1, 0};
    say("the last out of range %s", result(semop(set, list, OPS_MAX)));
    for (int i = 0; i < OPS_MAX; i++)
        list[i].sem_num = 0, list[i].sem_op = i % 2 ? -1 : 1;
    say("one up and down %s", result(semop(set, list, OPS_MAX)));
    set_state(set);
}

/* All of the largest set in arrays of 500. */
enum { SEMAPHORES = 32000 };

static void the_largest_set(void)
{
    static unsigned short values[SEMAPHORES];
    struct sembuf list[OPS_MAX];
    struct actor *actor;
    int set = set_new(SEMAPHORES), ones = 0, calls = 0;

    for (int at = 0; at < SEMAPHORES; at += OPS_MAX) {
        for (int i = 0; i < OPS_MAX; i++)
            list[i] = (struct sembuf){(unsigned short)(at + i), 1, 0};
        calls += semop(set, list, OPS_MAX) == 0;
    }
    need(ctl_array(set, GETALL, values) == 0, "GETALL");
    for (int i = 0; i < SEMAPHORES; i++)
        ones += values[i] == 1;
    say("%d calls, %d ones", calls, ones);
    actor = sleeps("sleeper", set, "31999-1 0-1 16000-2");
    say("waiting for 16000: %d", ctl(set, 16000, GETNCNT));
    op(set, "16000+1");
    finish(actor);
    say("%d %d %d %d", value(set, 0), value(set, 16000), value(set, 31998), value(set, 31999));
    for (int i = 0; i < SEMAPHORES; i++)
        values[i] = (unsigned short)i;
    say("SETALL %s", result(ctl_array(set, SETALL, values)));
    say("%d %d %d %d", value(set, 0), value(set, 1), value(set, 16000), value(set, 31999));
    op(set, "32000+1");
    op(set, "31999-31999 1-1 0=0n");
    set_remove(set);
}

SCENES(SCENE(all_or_nothing), SCENE(the_same_semaphore), SCENE(limits_within), SCENE(nowait_on_one),
       SCENE(again_while_asleep), SCENE(counted_where_it_blocks), SCENE(counted_anew), SCENE(counted_twice), SCENE(nothing_shows),
       SCENE(any_order), SCENE(five_hundred), SCENE(the_largest_set))
