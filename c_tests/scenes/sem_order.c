/*
 * Several sleepers on one semaphore set: who is served by what, in which order, and what the set's
 * own record says after each step. The kernel carries out the operations of those it wakes, so what a
 * step leaves behind does not depend on when they run again.
 */
#include "scene_sem.h"

static void finish_all(struct actor **actors, size_t total)
{
    for (size_t i = 0; i < total; i++)
        finish(actors[i]);
}

static void step(int set, const char *text)
{
    op(set, text);
    set_state(set);
}

static void first_come_first_served(void)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    struct actor *actors[LENGTH(names)];
    int set = set_new(1);

    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = sleeps(names[i], set, "0-1");
    set_state(set);
    for (size_t i = 0; i < LENGTH(names); i++)
        step(set, "0+1");
    finish_all(actors, LENGTH(names));
    set_state(set);
}

/* Sleepers of different sizes: the first in line that can go goes, however long a big one has waited. */
static void small_overtakes_big(void)
{
    int set = set_new(1);
    struct actor *big = sleeps("big", set, "0-3"), *small = sleeps("small", set, "0-1");
    struct actor *other = sleeps("other", set, "0-1"), *last = sleeps("last", set, "0-2");

    step(set, "0+1");
    finish(small);
    step(set, "0+2");
    finish(other);
    step(set, "0+1");
    finish(last);
    step(set, "0+2");
    step(set, "0+1");
    finish(big);
}

static void big_first_when_enough(void)
{
    int set = set_new(1);
    struct actor *big = sleeps("big", set, "0-3"), *small = sleeps("small", set, "0-1");

    step(set, "0+3");
    finish(big);
    step(set, "0+1");
    finish(small);
}

/* One increment for as many as it lasts. */
static void several_by_one(void)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    static const char *const texts[] = {"0-2", "0-3", "0-1", "0-4", "0-2", "0-1"};
    struct actor *actors[LENGTH(names)];
    int set = set_new(1);

    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = sleeps(names[i], set, texts[i]);
    step(set, "0+5");
    step(set, "0+4");
    step(set, "0+4");
    finish_all(actors, LENGTH(names));
    set_state(set);
}

static void zero_before_decrement(void)
{
    int set = set_new(1);
    struct actor *takes, *waits;

    setval(set, 0, 2);
    takes = sleeps("takes", set, "0-3");
    waits = sleeps("waits for zero", set, "0=0");
    set_state(set);
    step(set, "0-1");
    step(set, "0-1");
    finish(waits);
    step(set, "0+3");
    finish(takes);
}

/* The sleeper who takes the last makes it zero: that serves those who wait for zero at once. */
static void zero_by_a_sleeper(void)
{
    int set = set_new(1);
    struct actor *zero, *other, *takes;

    setval(set, 0, 1);
    zero = sleeps("zero", set, "0=0");
    takes = sleeps("takes", set, "0-3");
    other = sleeps("zero too", set, "0=0");
    step(set, "0+2");
    finish(zero);
    finish(takes);
    finish(other);
    set_state(set);
}

static void many_wait_for_zero(void)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    struct actor *actors[LENGTH(names)];
    int set = set_new(1);

    setval(set, 0, 1);
    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = sleeps(names[i], set, "0=0");
    step(set, "0-1");
    finish_all(actors, LENGTH(names));
    set_state(set);
}

/* "Zero, then one": a lock of the classic kind. One at a time gets it. */
static void zero_then_one(void)
{
    static const char *const names[] = {"a", "b", "c"};
    struct actor *actors[LENGTH(names)];
    int set = set_new(1);

    setval(set, 0, 1);
    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = sleeps(names[i], set, "0=0 0+1");
    for (size_t i = 0; i <= LENGTH(names); i++)
        step(set, "0-1n");
    finish_all(actors, LENGTH(names));
}

/* Each one served enables the next, whatever order they came in. */
static void chain(int backwards)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    static const char *const texts[] = {"0-1 1+1", "1-1 2+1", "2-1 3+1", "3-1 4+1"};
    struct actor *actors[LENGTH(names)];
    int set = set_new(5);

    for (size_t i = 0; i < LENGTH(names); i++) {
        size_t k = backwards ? LENGTH(names) - 1 - i : i;
        actors[i] = sleeps(names[k], set, texts[k]);
    }
    set_state(set);
    step(set, "0+1");
    finish_all(actors, LENGTH(names));
}

enum { FORWARDS, BACKWARDS };

/* A sleeper who gives back more than it takes serves the others of the same semaphore. */
static void served_one_serves(void)
{
    int set = set_new(2);
    struct actor *a = sleeps("a", set, "0-2"), *b = sleeps("b", set, "1-1 0+3"), *c = sleeps("c", set, "0-1");

    step(set, "1+1");
    finish(a);
    finish(b);
    finish(c);
}

/* Arrays and single operations wait in one line. */
static void arrays_against_singles(void)
{
    int set = set_new(2);
    struct actor *array = sleeps("array", set, "0-1 1-1"), *single = sleeps("single", set, "0-1");
    struct actor *later = sleeps("later array", set, "1-1 0-1"), *last = sleeps("last", set, "0-1");

    step(set, "0+1");
    step(set, "0+1 1+1");
    step(set, "1+1");
    step(set, "0+1");
    step(set, "0+1");
    finish(array);
    finish(single);
    finish(later);
    finish(last);
    set_state(set);
}

static void singles_before_array(void)
{
    int set = set_new(2);
    struct actor *single = sleeps("single", set, "0-1"), *array = sleeps("array", set, "0-1 1-1");

    step(set, "0+1 1+1");
    step(set, "0+1");
    finish(single);
    finish(array);
}

/* Singles of one semaphore and arrays come in turns, and enough comes for all but one. */
static void mixed_line(void)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    static const char *const texts[] = {"0-1", "0-2 1-1", "1-1", "1-1 0-1", "0-1", "0-1 1=0"};
    struct actor *actors[LENGTH(names)];
    int set = set_new(2);

    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = sleeps(names[i], set, texts[i]);
    step(set, "0+1 1+1");
    step(set, "0+4 1+1");
    step(set, "0+1");
    set_state(set);
    step(set, "0+5 1+5");
    setall(set, 5, 0, 0);
    finish_all(actors, LENGTH(names));
    set_state(set);
}

/* An array that adds to three semaphores serves a sleeper on each. */
static void array_serves_several(void)
{
    int set = set_new(3);
    struct actor *c = sleeps("on 2", set, "2-1"), *a = sleeps("on 0", set, "0-1"), *b = sleeps("on 1", set, "1-1");
    struct actor *all = sleeps("on all", set, "0-1 1-1 2-1");

    step(set, "0+1 1+2 2+1");
    finish(a);
    finish(b);
    finish(c);
    step(set, "0+1 2+1");
    finish(all);
}

/* Nobody new gets past a sleeper who can go, but anybody gets past one who cannot. */
static void newcomers(void)
{
    int set = set_new(1);
    struct actor *big = sleeps("big", set, "0-3");

    step(set, "0+2");
    step(set, "0-1n");
    step(set, "0+2");
    finish(big);
    step(set, "0-1n");
}

enum { ROUNDS = 200 };

static void steady(void *argument)
{
    int taken = 0;

    for (int i = 0; i < ROUNDS; i++) {
        arrive();
        taken += ops(*(int *)argument, "0-1") == 0;
    }
    say("took %d", taken);
}

static void no_overtaking(void)
{
    int set = set_new(1), overtaken = 0;
    struct actor *actor = spawn("sleeper", steady, &set);

    for (int i = 0; i < ROUNDS; i++) {
        wait_blocked(actor);
        need(ops(set, "0+1") == 0, "semop");
        while (ops(set, "0-1n") == 0) {
            overtaken++;
            need(ops(set, "0+1") == 0, "semop");
        }
    }
    say("overtaken %d times", overtaken);
    finish(actor);
    set_state(set);
}

/* ---- SETVAL and SETALL ---- */

static void by_setval(void)
{
    int set = set_new(2);
    struct actor *a = sleeps("a", set, "0-2"), *b = sleeps("b", set, "0-1"), *c = sleeps("c", set, "1-1 0-1");

    setval(set, 0, 1);
    set_state(set);
    setval(set, 0, 3);
    set_state(set);
    setval(set, 1, 9);
    set_state(set);
    finish(a);
    finish(b);
    finish(c);
}

static void zero_by_setval(void)
{
    int set = set_new(1);
    struct actor *a, *b;

    setval(set, 0, 7);
    a = sleeps("a", set, "0=0");
    b = sleeps("b", set, "0=0 0+2");
    setval(set, 0, 6);
    set_state(set);
    setval(set, 0, 0);
    set_state(set);
    finish(a);
    finish(b);
}

static void by_setall(void)
{
    int set = set_new(3);
    struct actor *a = sleeps("a", set, "2-1"), *b = sleeps("b", set, "0-1 2-1"), *c = sleeps("c", set, "1-3");
    struct actor *d;

    setall(set, 0, 1, 0);
    set_state(set);
    d = sleeps("d", set, "1=0");
    setall(set, 1, 2, 3);
    set_state(set);
    setall(set, 0, 0, 1);
    set_state(set);
    setall(set, 0, 4, 0);
    set_state(set);
    finish(a);
    finish(b);
    finish(c);
    finish(d);
}

/* An array that could go by its first half runs into a limit by its second: its sleep ends with ERANGE. */
static void range_error_asleep(void)
{
    int set = set_new(2);
    struct actor *a = sleeps("a", set, "0-1 1+32767"), *b = sleeps("b", set, "0-1");

    setval(set, 1, 1);
    set_state(set);
    step(set, "0+1");
    finish(a);
    finish(b);
    set_state(set);
}

SCENES(SCENE(first_come_first_served), SCENE(small_overtakes_big), SCENE(big_first_when_enough),
       SCENE(several_by_one), SCENE(zero_before_decrement), SCENE(zero_by_a_sleeper), SCENE(many_wait_for_zero),
       SCENE(zero_then_one), SCENE_WITH(chain, FORWARDS), SCENE_WITH(chain, BACKWARDS), SCENE(served_one_serves),
       SCENE(arrays_against_singles), SCENE(singles_before_array), SCENE(mixed_line), SCENE(array_serves_several),
       SCENE(newcomers), SCENE(no_overtaking), SCENE(by_setval), SCENE(zero_by_setval), SCENE(by_setall),
       SCENE(range_error_asleep))
