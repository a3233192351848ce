/* SEM_UNDO and sleepers: who is served when a holder ends, and the adjustments of those who sleep themselves. */
#include "scene_sem.h"

static void holds(void *argument)
{
    const struct sem_part *part = argument;

    op(part->set, part->text);
    arrive();
    for (;;)
        pause();
}

static struct actor *holder(int set, const char *text)
{
    struct actor *actor = spawn("holder", holds, sem_part(set, text));

    wait_blocked(actor);
    return actor;
}

/* Nobody calls in while the sleeper waits for the dead holder's semaphore. */
static void released_by_a_kill(void)
{
    int set = set_new(1);
    struct actor *dies, *waits;

    setval(set, 0, 1);
    dies = holder(set, "0-1u");
    waits = sleeps("waiter", set, "0-1u");
    kill(dies->pid, SIGKILL);
    finish(waits);
    finish(dies);
    set_state(set);
}

static void several_released(void)
{
    int set = set_new(3);
    struct actor *dies, *waits[5];
    static const char *const texts[] = {"0-2", "2=0", "1-1 0-1", "0-1", "0-5"};
    static const char *const names[] = {"two", "zero", "array", "one", "five"};

    setall(set, 4, 1, 0);
    dies = holder(set, "0-4u 1-1u 2+3u");
    for (size_t i = 0; i < LENGTH(waits); i++)
        waits[i] = sleeps(names[i], set, texts[i]);
    set_state(set);
    kill_to_zombie(dies);
    set_state(set);
    for (size_t i = 0; i + 1 < LENGTH(waits); i++)
        finish(waits[i]);
    finish(dies);
    op(set, "0+5");
    finish(waits[LENGTH(waits) - 1]);
}

/* A line of sleepers, each of whom holds in turn and is killed. */
static void holders_in_turn(void)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    struct actor *actors[LENGTH(names)];
    int set = set_new(1);

    setval(set, 0, 1);
    for (size_t i = 0; i < LENGTH(names); i++) {
        actors[i] = new_actor(names[i], holds, sem_part(set, "0-1u"));
        if ((actors[i]->pid = fork()) == 0)
            act(actors[i]);
        while (ctl(set, 0, GETNCNT) != (int)i || value(set, 0) != 0)
            usleep(500);
    }
    for (size_t i = 0; i < LENGTH(names); i++) {
        while (ctl(set, 0, GETPID) != actors[i]->pid)
            usleep(500);
        set_state(set);
        kill_to_zombie(actors[i]);
    }
    set_state(set);
    for (size_t i = 0; i < LENGTH(names); i++)
        need(waitpid(actors[i]->pid, NULL, 0) == actors[i]->pid, "waitpid");
}

/* A sleeper's own adjustment counts from when it is served, though it has not run since. */
static void killed_just_served(void)
{
    int set = set_new(2);
    struct actor *actor = sleeps("sleeper", set, "0-1u 1+1u");

    op(set, "0+1");
    kill_to_zombie(actor);
    set_state(set);
    actor->length = 0; /* whether it still could say something is a race */
    waitpid(actor->pid, NULL, 0);
}

/* A sleep that times out leaves no adjustment. */
static void times_out(void *argument)
{
    op_for(*(int *)argument, "0-9u 1+1u", 10);
    set_state(*(int *)argument);
    op(*(int *)argument, "0-1u");
}

static void timed_out(void)
{
    int set = set_new(2);

    setval(set, 0, 3);
    finish(spawn("sleeper", times_out, &set));
    set_state(set);
}

SCENES(SCENE(released_by_a_kill), SCENE(several_released), SCENE(holders_in_turn), SCENE(killed_just_served),
       SCENE(timed_out))
