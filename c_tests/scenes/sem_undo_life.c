/* SEM_UNDO and the life of processes: forks, threads, programs that execute others. */
#include "scene_ipc.h"
#include "scene_sem.h"

enum { STEP, GO };

static void wait_for_end(void)
{
    for (;;)
        pause();
}

static void kill_and_finish(struct actor *actor)
{
    kill_to_zombie(actor);
    finish(actor);
}

/* ---- fork ---- */

static void child(void *argument)
{
    int set = *(int *)argument;

    set_state(set);
    op(set, "0-1u");
    set_state(set);
}

static void parent(void *argument)
{
    op(*(int *)argument, "0-2u 1+1u");
    finish(spawn("child", child, argument));
    set_state(*(int *)argument);
    arrive();
    wait_for_end();
}

static void not_inherited_by_fork(void)
{
    int set = set_new(2);
    struct actor *actor;

    setall(set, 9, 0, 0);
    wait_blocked(actor = spawn("parent", parent, &set));
    set_state(set);
    kill_and_finish(actor);
    set_state(set);
}

/* The child goes on after the parent; what the parent took is given back when the parent ends. */
static void outlives(void *argument)
{
    (void)argument;
    arrive();
    wait_for_end();
}

static void parent_leaves(void *argument)
{
    op(*(int *)argument, "0-2u");
    wait_blocked(spawn("child", outlives, NULL));
}

static void child_lives_on(void)
{
    int set = set_new(1);

    setval(set, 0, 9);
    finish(spawn("parent", parent_leaves, &set));
    set_state(set);
}

/* ---- threads ---- */

static void takes(void *argument) { op(*(int *)argument, "0-2u"); }

static void house_of_threads(void *argument)
{
    int set = *(int *)argument;

    finish(spawn_thread("thread", takes, argument));
    set_state(set);
    op(set, "0+1u");
    finish(spawn_thread("thread", takes, argument));
    set_state(set);
    arrive();
    wait_for_end();
}

/* Threads share the process's adjustments: one that ends takes nothing back. */
static void shared_by_threads(void)
{
    int set = set_new(1);
    struct actor *actor;

    setval(set, 0, 9);
    wait_blocked(actor = spawn("house", house_of_threads, &set));
    set_state(set);
    kill_and_finish(actor);
    set_state(set);
}

static void lives_on(void *argument)
{
    op(*(int *)argument, "0-1u");
    arrive();
    await(GO, 1);
    op(*(int *)argument, "0-1u");
    bump(STEP);
    await(GO, 2);
}

static void leader(void *argument)
{
    op(*(int *)argument, "0-2u");
    spawn_thread("thread", lives_on, argument);
    arrive();
    pthread_exit(NULL);
}

/* The main thread ends; the process and its adjustments do not. */
static void leader_leaves(void)
{
    int set = set_new(1);
    struct actor *actor;

    setval(set, 0, 9);
    actor = spawn("house", leader, &set);
    while (!__atomic_load_n(&actor->arrived, __ATOMIC_SEQ_CST))
        usleep(500);
    wait_state(actor->pid, actor->pid, 'Z');
    while (!__atomic_load_n(&stage->actor[1].arrived, __ATOMIC_SEQ_CST))
        usleep(500);
    set_state(set);
    bump(GO);
    await(STEP, 1);
    set_state(set);
    bump(GO);
    finish(actor);
    set_state(set);
}

/* ---- exec ---- */

struct part {
    int set;
    int how;
    struct gate gate;
};

enum { SLEEP, BY_SHELL, SELF, NO_ENVIRONMENT };

static void executes(void *argument)
{
    const struct part *part = argument;
    char set[16];

    op(part->set, "0-2u 1+1u");
    snprintf(set, sizeof set, "%d", part->set);
    switch (part->how) {
    case BY_SHELL: execl("/bin/sh", "sh", "-c", "exec sleep 1000", (char *)NULL); break;
    case SELF: execl("/proc/self/exe", "self", "--use", set, (char *)NULL); break;
    case NO_ENVIRONMENT: execle("/bin/sleep", "sleep", "1000", (char *)NULL, (char *[]){NULL}); break;
    default: execl("/bin/sleep", "sleep", "1000", (char *)NULL);
    }
    say("exec %s", result(-1));
}

/* An adjustment stays with the process when it becomes another program, and is applied when that ends. */
static void kept_over_exec(int how)
{
    int set = set_new(2);
    struct part part = {set, how, gate_new()};
    struct actor *actor;

    setall(set, 9, 0, 0);
    actor = spawn("becomes another", executes, &part);
    gate_wait(&part.gate);
    if (how == SELF)
        while (value(set, 0) != 6)
            usleep(500);
    else
        wait_program(actor, "sleep");
    set_state(set);
    kill_and_finish(actor);
    set_state(set);
}

/* The program that self-exec runs: it adds to the adjustments that it was born with. */
static int use(int set)
{
    ops(set, "1-1");
    ops(set, "0-1u 1+1u");
    wait_for_end();
    return 0;
}

static void executes_true(void *argument)
{
    op(*(int *)argument, "0-2u");
    execlp("true", "true", (char *)NULL);
}

static void exec_of_what_ends(void)
{
    int set = set_new(1);

    setval(set, 0, 9);
    finish(spawn("becomes true", executes_true, &set));
    set_state(set);
}

/* A thread that executes another program ends the others; the adjustments of all stay. */
static void takes_and_sleeps(void *argument)
{
    op(*(int *)argument, "0-2u");
    arrive();
    wait_for_end();
}

static void becomes_sleep(void *argument)
{
    struct part *part = argument;

    op(part->set, "1-1u");
    execl("/bin/sleep", "sleep", "1000", (char *)NULL);
}

static void executes_in_a_thread(void *argument)
{
    struct part *part = argument;

    wait_blocked(spawn_thread("thread", takes_and_sleeps, &part->set));
    spawn_thread("executes", becomes_sleep, part);
    wait_for_end();
}

static void exec_in_a_thread(void)
{
    int set = set_new(2);
    struct part part = {set, SLEEP, gate_new()};
    struct actor *actor;

    setall(set, 5, 5, 0);
    actor = spawn("house", executes_in_a_thread, &part);
    gate_wait(&part.gate);
    set_state(set);
    kill_and_finish(actor);
    set_state(set);
}

/* vfork and exec in between leave the parent's adjustments alone. */
static void runs_programs(void *argument)
{
    int set = *(int *)argument, status;

    op(set, "0-2u");
    for (int i = 0; i < 5; i++) {
        pid_t pid = vfork();
        if (pid == 0) {
            execlp("true", "true", (char *)NULL);
            _exit(1);
        }
        need(waitpid(pid, &status, 0) == pid && status == 0, "waitpid");
    }
    need(system("true") == 0, "system");
    set_state(set);
}

static void vfork_and_exec(void)
{
    int set = set_new(1);

    setval(set, 0, 9);
    finish(spawn("actor", runs_programs, &set));
    set_state(set);
}

int main(int argc, char **argv)
{
    static const struct scene scenes[] = {
        SCENE(not_inherited_by_fork),
        SCENE(child_lives_on),
        SCENE(shared_by_threads),
        SCENE(leader_leaves),
        SCENE_WITH(kept_over_exec, SLEEP),
        SCENE_WITH(kept_over_exec, BY_SHELL),
        SCENE_WITH(kept_over_exec, SELF),
        SCENE_WITH(kept_over_exec, NO_ENVIRONMENT),
        SCENE(exec_of_what_ends),
        SCENE(exec_in_a_thread),
        SCENE(vfork_and_exec),
    };

    if (argc == 3 && strcmp(argv[1], "--use") == 0)
        return use(atoi(argv[2]));
    return scene_main(argc, argv, scenes, LENGTH(scenes));
}
