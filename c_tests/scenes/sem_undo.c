/*
 * SEM_UNDO: what is taken back when a process ends, however it ends; what clears an adjustment; its
 * limits; who is served by it.
 */
#include "scene_sem.h"
#include <sys/resource.h>

enum { EXIT, _EXIT, RETURN, KILLED, TERMINATED, ABORTED, CRASHED, EXEC_FAILED, LAST_THREAD };

static void *last_thread(void *argument)
{
    (void)argument;
    sleep_ms(20);
    pthread_exit(NULL);
}

static void end_by(int way)
{
    pthread_t thread;

    switch (way) {
    case EXIT: exit(0);
    case _EXIT: _exit(3);
    case KILLED: raise(SIGKILL); break;
    case TERMINATED: raise(SIGTERM); break;
    case ABORTED: abort();
    case CRASHED: raise(SIGSEGV); break;
    case EXEC_FAILED: execl("/nowhere", "nowhere", (char *)NULL); break;
    case LAST_THREAD:
        pthread_create(&thread, NULL, last_thread, NULL);
        pthread_exit(NULL);
    default: break; /* its body returns */
    }
}

/* An actor that does one operation and then ends. */
struct part {
    int set;
    const char *text;
    int way;
};

static void acts(void *argument)
{
    const struct part *part = argument;

    need(ops(part->set, part->text) == 0, "semop");
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    end_by(part->way);
}

static void by(const char *name, int set, const char *text, int way)
{
    struct part part = {set, text, way};

    finish(spawn(name, acts, &part));
    set_state(set);
}

static void ended(int way)
{
    int set = set_new(3);

    setall(set, 5, 5, 0);
    by("ends", set, "0-2u 1+3u 2+1", way);
    by("ends with nothing to undo", set, "0+1u 0-1u", way);
}

/* One who stays and does what the stage asks for, through a pipe. */
static int orders[2];

static void obeys(void *argument)
{
    char text[64];
    int length;

    while (read(orders[0], &length, sizeof length) == sizeof length && length > 0) {
        need(read(orders[0], text, (size_t)length) == length, "read");
        text[length] = 0;
        op(*(int *)argument, text);
        bump(0);
    }
}

static struct actor *new_holder(const char *name, int *set)
{
    need(pipe(orders) == 0, "pipe");
    stage->counter[0] = 0;
    return spawn(name, obeys, set);
}

static void order(const char *text)
{
    int length = (int)strlen(text), done = count(0);

    need(write(orders[1], &length, sizeof length) == sizeof length, "write");
    need(write(orders[1], text, (size_t)length) == length, "write");
    await(0, done + 1);
}

static void kill_and_finish(struct actor *actor)
{
    kill_to_zombie(actor);
    finish(actor);
}

static void several_operations(void)
{
    int set = set_new(2);
    struct actor *actor = new_holder("holder", &set);

    setall(set, 10, 0, 0);
    order("0-3u");
    order("0-2u 1+1u");
    order("0+1u");
    order("0-1");
    set_state(set);
    kill_and_finish(actor);
    set_state(set);
}

/* Taken and given back with SEM_UNDO: nothing is left to be undone. */
static void back_to_zero(void)
{
    int set = set_new(2);
    struct actor *actor = new_holder("holder", &set);

    setall(set, 1, 1, 0);
    order("0-1u");
    order("0+1u");
    order("1-1u");
    set_state(set);
    kill_and_finish(actor);
    set_state(set);
}

static void failures_leave_nothing(void)
{
    int set = set_new(2);
    struct actor *actor = new_holder("holder", &set);

    setall(set, 1, 0, 0);
    order("0-1u 1-1un");
    order("0-2un");
    order("0+32767u");
    order("2-1u");
    order("0=0un");
    set_state(set);
    kill_and_finish(actor);
    set_state(set);
}

/* SETVAL forgets the adjustments of one semaphore, SETALL of all, whoever holds them. */
static void cleared_by_setval(void)
{
    int set = set_new(2);
    struct actor *actor = new_holder("holder", &set);

    setall(set, 5, 5, 0);
    order("0-1u 1-1u");
    setval(set, 0, 7);
    kill_and_finish(actor);
    set_state(set);
}

static void cleared_by_setall(void)
{
    int set = set_new(2);
    struct actor *actor = new_holder("holder", &set);

    setall(set, 5, 5, 0);
    order("0-1u 1-1u");
    setall(set, 7, 8, 0);
    set_state(set);
    order("1-1u");
    kill_and_finish(actor);
    set_state(set);
}

/* A refused SETVAL or SETALL clears nothing. */
static void not_cleared_by_errors(void)
{
    int set = set_new(2);
    struct actor *actor = new_holder("holder", &set);

    setall(set, 5, 5, 0);
    order("0-1u 1-1u");
    setval(set, 0, 32768);
    setall(set, 0, 32768, 0);
    kill_and_finish(actor);
    set_state(set);
}

static void clamped_at_zero(void)
{
    int set = set_new(3);
    struct actor *actor = new_holder("holder", &set);

    order("0+5u 1+5u 2+5u");
    op(set, "0-3 1-5");
    set_state(set);
    kill_and_finish(actor);
    set_state(set);
}

static void clamped_at_the_top(void)
{
    int set = set_new(2);
    struct actor *actor = new_holder("holder", &set);

    setall(set, 10, 10, 0);
    order("0-5u 1-5u");
    op(set, "0+32762 1+32757");
    set_state(set);
    kill_and_finish(actor);
    set_state(set);
}

/* An adjustment goes from -32768 to 32767. */
static void limits_of_an_adjustment(void)
{
    int set = set_new(2);
    struct actor *actor = new_holder("holder", &set);

    setval(set, 0, 32767);
    order("0-32767u");
    setval(set, 1, 1);
    op(set, "0+2");
    order("0-1u");
    order("0-1u 1-1");
    order("0-1");
    order("0+1u");
    order("0-1u");
    set_state(set);
    order("1-1");
    order("1+32767u");
    order("1-32767");
    order("1+1u");
    order("1+1u");
    order("1+1un");
    order("1+1 1+1u");
    order("1-1u");
    set_state(set);
    kill_and_finish(actor);
    set_state(set);
}

/* The sum of one array is what counts, at each of its operations. */
static void limits_within_an_array(void)
{
    int set = set_new(1);
    struct actor *actor = new_holder("holder", &set);

    order("0+32767u 0-32767 0+1u 0+1u");
    order("0+32767u 0-32767 0+1u 0-1u");
    set_state(set);
    order("0+1u 0-1");
    order("0+1u");
    set_state(set);
    kill_and_finish(actor);
    set_state(set);
}

/* The undo of several holders: each takes back its own when it ends. */
static void several_holders(void)
{
    int set = set_new(1);
    struct actor *holders[3];
    static const char *const names[] = {"a", "b", "c"}, *const texts[] = {"0-1u", "0+4u", "0-2u"};

    setval(set, 0, 10);
    for (size_t i = 0; i < LENGTH(holders); i++) {
        holders[i] = new_holder(names[i], &set);
        order(texts[i]);
        set_state(set);
    }
    kill_and_finish(holders[1]);
    set_state(set);
    kill_to_zombie(holders[0]);
    kill_to_zombie(holders[2]);
    set_state(set);
    finish(holders[0]);
    finish(holders[2]);
}

/* Several sets at once, one of them removed before. */
struct sets {
    int set[4];
};

static void takes_from_all(void *argument)
{
    const struct sets *sets = argument;

    for (int i = 0; i < 4; i++)
        op(sets->set[i], i % 2 ? "0-1u 2-1u" : "1+2u");
    arrive();
    for (;;)
        pause();
}

static void several_sets(void)
{
    struct sets sets;
    struct actor *actor;

    for (int i = 0; i < 4; i++) {
        sets.set[i] = set_new(3);
        setall(sets.set[i], i, i, i);
    }
    wait_blocked(actor = spawn("holder", takes_from_all, &sets));
    set_remove(sets.set[2]);
    kill_to_zombie(actor);
    for (int i = 0; i < 4; i++)
        set_state(sets.set[i]);
    finish(actor);
}

/* A set removed and made again, by the same key, is not the one that the adjustment is for. */
static void removed_and_made_again(void)
{
    int set = semget(SEM_KEY, 1, IPC_CREAT | 0600);
    struct actor *actor = new_holder("holder", &set);

    setval(set, 0, 3);
    order("0-1u");
    set_remove(set);
    set = semget(SEM_KEY, 1, IPC_CREAT | IPC_EXCL | 0600);
    setval(set, 0, 3);
    order("0-1u");
    kill_and_finish(actor);
    set_state(set);
    set_remove(set);
}

static void many_sets(void)
{
    enum { SETS = 200 };
    int sets[SETS], right = 0;
    pid_t pid;

    for (int i = 0; i < SETS; i++)
        ctl_val(sets[i] = set_new(2), 1, i);
    pid = fork();
    if (pid == 0) {
        for (int i = 1; i < SETS; i++)
            need(ops(sets[i], "0+2u 1-1u") == 0, "semop");
        raise(SIGKILL);
    }
    need(waitpid(pid, NULL, 0) == pid, "waitpid");
    for (int i = 0; i < SETS; i++)
        right += value(sets[i], 0) == 0 && value(sets[i], 1) == i && (ctl(sets[i], 0, GETPID) == pid) == (i > 0);
    say("%d of %d are right", right, SETS);
}

SCENES(SCENE_WITH(ended, EXIT), SCENE_WITH(ended, _EXIT), SCENE_WITH(ended, RETURN), SCENE_WITH(ended, KILLED),
       SCENE_WITH(ended, TERMINATED), SCENE_WITH(ended, ABORTED), SCENE_WITH(ended, CRASHED),
       SCENE_WITH(ended, EXEC_FAILED), SCENE_WITH(ended, LAST_THREAD), SCENE(several_operations), SCENE(back_to_zero),
       SCENE(failures_leave_nothing), SCENE(cleared_by_setval), SCENE(cleared_by_setall),
       SCENE(not_cleared_by_errors), SCENE(clamped_at_zero), SCENE(clamped_at_the_top),
       SCENE(limits_of_an_adjustment), SCENE(limits_within_an_array), SCENE(several_holders), SCENE(several_sets),
       SCENE(removed_and_made_again), SCENE(many_sets))
