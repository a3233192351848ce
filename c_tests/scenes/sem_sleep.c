/*
 * How a sleep in semop and semtimedop ends other than by being served: timeouts, removal, SIGKILL, a
 * stop, the end of the process; and threads as sleepers.
 */
#include "scene_sem.h"

static long milliseconds_since(const struct timespec *start)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000;
}

static void waits(int set, const char *text, long milliseconds)
{
    struct timespec start;
    long took;

    clock_gettime(CLOCK_MONOTONIC, &start);
    op_for(set, text, milliseconds);
    took = milliseconds_since(&start);
    say("%s", took < milliseconds ? "too early" : took > milliseconds + 10000 ? "too late" : "in time");
}

static void timeouts(void)
{
    int set = set_new(2);

    waits(set, "0-1", 0);
    waits(set, "0-1", 1);
    waits(set, "0-1", 30);
    setval(set, 1, 1);
    waits(set, "1=0", 10);
    waits(set, "1-1 0-1", 10);
    waits(set, "0-1u", 10);
    op_for(set, "1-1", 5);
    op_for(set, "0-1n", 5000);
    set_state(set);
}

/* A timeout is no change of place: who has run out is no longer counted, the others stay in line. */
static void one_runs_out(void)
{
    int set = set_new(1);
    struct sem_part part = {set, 100, "0-1"};
    struct actor *first = spawn("runs out", sem_sleeper, &part), *second;

    wait_blocked(first);
    second = sleeps("stays", set, "0-1");
    finish(first);
    set_state(set);
    op(set, "0+1");
    finish(second);
    set_state(set);
}

static void served_before_it_runs_out(void)
{
    int set = set_new(1);
    struct sem_part part = {set, 3600 * 1000, "0-1"};
    struct actor *actor = spawn("sleeper", sem_sleeper, &part);

    wait_blocked(actor);
    set_state(set);
    op(set, "0+1");
    finish(actor);
    set_state(set);
}

/* ---- removal ---- */

static void removed(void)
{
    int set = set_new(2), other = set_new(1);
    struct actor *actors[6];
    struct sem_part timed = {set, 3600 * 1000, "0-3"};

    ctl_val(set, 1, 1);
    actors[0] = sleeps("takes", set, "0-1");
    actors[1] = sleeps("zero", set, "1=0");
    actors[2] = sleeps("array", set, "1-1 0-1");
    actors[3] = sleeps("undoes", set, "0-1u 1-1u");
    actors[4] = thread_sleeps("thread", set, "0-2");
    wait_blocked(actors[5] = spawn("timed", sem_sleeper, &timed));
    wait_asleep(sleeps("of another set", other, "0-1"));
    say("IPC_RMID %s", result(ctl(set, 0, IPC_RMID)));
    for (size_t i = 0; i < LENGTH(actors); i++)
        finish(actors[i]);
    set_state(set);
    set_state(other);
    op(other, "0+1");
    finish(&stage->actor[stage->actors - 1]);
}

static void removed_and_made_again(void)
{
    int set = semget(SEM_KEY, 1, IPC_CREAT | 0600), again;
    struct actor *actor = sleeps("sleeper", set, "0-1");

    set_remove(set);
    again = semget(SEM_KEY, 1, IPC_CREAT | IPC_EXCL | 0600);
    op(again, "0+1");
    finish(actor);
    set_state(again);
    set_remove(again);
}

/* ---- SIGKILL ---- */

static void killed(void)
{
    int set = set_new(2);
    struct actor *first = sleeps("first", set, "0-1"), *second = sleeps("second", set, "0-1");
    struct actor *third = sleeps("third", set, "0-1 1-1"), *last = sleeps("last", set, "0-1");

    set_state(set);
    kill_to_zombie(first);
    kill_to_zombie(third);
    set_state(set);
    op(set, "0+1 1+1");
    finish(second);
    set_state(set);
    finish(first);
    finish(third);
    op(set, "0+1");
    finish(last);
    set_state(set);
}

static void the_only_one_killed(void)
{
    int set = set_new(2);
    struct actor *actor = sleeps("only", set, "0-1u 1+1u");

    kill_to_zombie(actor);
    set_state(set);
    op(set, "0+1");
    set_state(set);
    finish(actor);
    set_state(set);
    op(set, "0-1");
}

static void many_generations(void)
{
    int set = set_new(1);
    struct actor *lives;

    for (int i = 0; i < 40; i++) {
        struct actor *actor = sleeps("mortal", set, "0-1");
        kill_to_zombie(actor);
        stage->actors--;
        need(waitpid(actor->pid, NULL, 0) == actor->pid, "waitpid");
        memset(actor, 0, sizeof *actor);
    }
    set_state(set);
    lives = sleeps("survivor", set, "0-1");
    op(set, "0+1");
    finish(lives);
    set_state(set);
}

static void house(void *argument)
{
    for (int i = 0; i < 3; i++)
        thread_sleeps("thread", *(int *)argument, i == 1 ? "1=0 0-1" : "0-1");
    arrive();
    for (;;)
        pause();
}

static void a_whole_house_killed(void)
{
    int set = set_new(2);
    struct actor *dies, *lives;

    ctl_val(set, 1, 1);
    dies = spawn("house", house, &set);
    wait_blocked(dies);
    lives = sleeps("survivor", set, "0-1");
    set_state(set);
    kill_to_zombie(dies);
    set_state(set);
    op(set, "0+1");
    finish(lives);
    finish(dies);
    set_state(set);
}

enum { EXIT, _EXIT, EXEC };

static void leaves_threads(void *argument)
{
    thread_sleeps("thread", *(int *)argument, "0-1");
    thread_sleeps("thread", *(int *)argument, "0-1u");
    switch (count(0)) {
    case EXIT: exit(0);
    case _EXIT: _exit(0);
    default: execlp("true", "true", (char *)NULL);
    }
}

static void a_house_ends(int end)
{
    int set = set_new(1);

    stage->counter[0] = end;
    finish(spawn("house", leaves_threads, &set));
    set_state(set);
    op(set, "0+1");
    set_state(set);
}

/* ---- stopped ---- */

static void stop(struct actor *actor)
{
    kill(actor->pid, SIGSTOP);
    wait_state(actor->pid, actor->tid, 'T');
}

/* The kernel ends the call of a process that is stopped: signal(7) says so of semop. */
static void stopped(void)
{
    int set = set_new(1);
    struct actor *actor = sleeps("stopped", set, "0-1");

    stop(actor);
    set_state(set);
    op(set, "0+1");
    set_state(set);
    kill(actor->pid, SIGCONT);
    finish(actor);
    set_state(set);
}

static void stopped_and_next_served(void)
{
    int set = set_new(1);
    struct actor *first = sleeps("stopped", set, "0-1"), *next = sleeps("next", set, "0-1");

    stop(first);
    op(set, "0+1");
    finish(next);
    kill_to_zombie(first);
    finish(first);
    set_state(set);
}

static void killed_while_stopped(void)
{
    int set = set_new(1);
    struct actor *actor = sleeps("stopped", set, "0-1");

    stop(actor);
    kill_to_zombie(actor);
    op(set, "0+1");
    set_state(set);
    finish(actor);
}

/* ---- threads ---- */

static void threads_in_line(void)
{
    static const char *const names[] = {"t1", "t2", "t3", "t4"};
    static const char *const texts[] = {"0-2", "0-1", "1=0", "0-1 1+1"};
    struct actor *actors[LENGTH(names)];
    int set = set_new(2);

    ctl_val(set, 1, 2);
    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = thread_sleeps(names[i], set, texts[i]);
    set_state(set);
    op(set, "0+1");
    set_state(set);
    op(set, "1-2");
    set_state(set);
    op(set, "0+2");
    set_state(set);
    op(set, "0+1");
    set_state(set);
    for (size_t i = 0; i < LENGTH(names); i++)
        finish(actors[i]);
}

/* semop is no cancellation point: a cancelled sleeper sleeps on, is served, and ends at the next one. */
static void cancellable(void *argument)
{
    arrive();
    op(*(int *)argument, "0-1");
    bump(SET_RETURNED);
    op(*(int *)argument, "0+1");
    pthread_testcancel();
    say("not cancelled");
}

static void no_cancellation_point(void)
{
    int set = set_new(1);
    struct actor *actor = spawn_thread("thread", cancellable, &set);

    wait_blocked(actor);
    pthread_cancel(actor->thread);
    sleep_ms(20);
    wait_asleep(actor);
    say("came back: %d", count(SET_RETURNED));
    set_state(set);
    op(set, "0+1");
    finish(actor);
    set_state(set);
}

static void cancels_itself(void *argument)
{
    pthread_cancel(pthread_self());
    op(*(int *)argument, "0-1");
    op_for(*(int *)argument, "0-1", 20);
    bump(SET_RETURNED);
    pthread_testcancel();
}

static void pending_cancellation(void)
{
    int set = set_new(1);

    setval(set, 0, 1);
    finish(spawn_thread("thread", cancels_itself, &set));
    set_state(set);
}

SCENES(SCENE(timeouts), SCENE(one_runs_out), SCENE(served_before_it_runs_out), SCENE(removed),
       SCENE(removed_and_made_again), SCENE(killed), SCENE(the_only_one_killed), SCENE(many_generations),
       SCENE(a_whole_house_killed), SCENE_WITH(a_house_ends, EXIT), SCENE_WITH(a_house_ends, _EXIT),
       SCENE_WITH(a_house_ends, EXEC), SCENE(stopped), SCENE(stopped_and_next_served), SCENE(killed_while_stopped),
       SCENE(threads_in_line), SCENE(no_cancellation_point), SCENE(pending_cancellation))
