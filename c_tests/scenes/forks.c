/*
 * New processes by fork, _Fork, raw clone, vfork and exec, from processes with and without threads,
 * that use the queues of the old one.
 */
#include "scene_block.h"
#include <sys/syscall.h>

enum { RETURNED, GO, DONE, HANDLED };
enum { FORK, UNDERSCORE_FORK, RAW_CLONE };

#define FOR_FORKS(function)                                                                            \
    SCENE_WITH(function, FORK), SCENE_WITH(function, UNDERSCORE_FORK), SCENE_WITH(function, RAW_CLONE)

/* glibc 2.34 has it; where it is missing, fork takes its part. */
extern pid_t _Fork(void) __attribute__((weak));

static pid_t fork_by(int how)
{
    switch (how) {
    case UNDERSCORE_FORK: return _Fork != NULL ? _Fork() : fork();
    case RAW_CLONE: return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    default: return fork();
    }
}

static struct actor *spawn_by(int how, const char *name, void (*body)(void *), void *arg)
{
    struct actor *actor = new_actor(name, body, arg);
    pid_t pid = fork_by(how);

    need(pid != -1, "fork");
    if (pid == 0)
        act(actor);
    actor->pid = pid;
    return actor;
}

struct part {
    int q;
    mqd_t mqd;
};

static struct part new_part(void) { return (struct part){q_new(), mq_new(4)}; }

static void uses(void *argument)
{
    const struct part *part = argument;

    snd(part->q, 3, "by the child", 0);
    q_state(part->q);
    mq_snd(part->mqd, "by the child", 3);
    mq_state(part->mqd);
}

static void uses_what_is_there(void *argument)
{
    const struct part *part = argument;

    rcv(part->q, 0, IPC_NOWAIT);
    q_state(part->q);
    mq_rcv(part->mqd);
    uses(argument);
}

static void look(const struct part *part)
{
    q_state(part->q);
    drain(part->q);
    mq_drain(part->mqd);
}

static void child_uses(int how)
{
    struct part part = new_part();

    snd(part.q, 1, "by the parent", 0);
    mq_snd(part.mqd, "by the parent", 0);
    finish(spawn_by(how, "child", uses_what_is_there, &part));
    look(&part);
    q_remove(part.q);
}

/* The parent has not used anything yet. */
static void makes_its_own(void *argument)
{
    struct part part = new_part();

    (void)argument;
    uses(&part);
    look(&part);
    q_remove(part.q);
}

static void first_use_in_child(int how)
{
    finish(spawn_by(how, "first", makes_its_own, NULL));
    finish(spawn_by(how, "second", makes_its_own, NULL));
    makes_its_own(NULL);
}

static void grandchild(void *argument)
{
    const struct part *part = argument;

    finish(spawn_by(FORK, "grandchild by fork", uses, (void *)part));
    finish(spawn_by(UNDERSCORE_FORK, "grandchild by _Fork", uses_what_is_there, (void *)part));
    finish(spawn_by(RAW_CLONE, "grandchild by clone", uses_what_is_there, (void *)part));
}

static void generations(int how)
{
    struct part part = new_part();

    finish(spawn_by(how, "child", grandchild, &part));
    look(&part);
    q_remove(part.q);
}

/* Parent and child sleep on the same queue; the child was made while the parent knew it well. */
static void sleeps_msg(void *argument)
{
    arrive();
    rcv(((struct part *)argument)->q, 0, 0);
}

static void sleeps_mq(void *argument)
{
    arrive();
    mq_rcv(((struct part *)argument)->mqd);
}

static void children_sleep(int how)
{
    struct part part = new_part();
    struct actor *actors[4];

    snd(part.q, 1, "x", 0);
    rcv(part.q, 0, 0);
    for (int i = 0; i < 4; i++) {
        actors[i] = spawn_by(how, i < 2 ? "msg" : "mq", i < 2 ? sleeps_msg : sleeps_mq, &part);
        wait_blocked(actors[i]);
    }
    snd(part.q, 1, "one", 0);
    mq_snd(part.mqd, "one", 0);
    snd(part.q, 1, "two", 0);
    mq_snd(part.mqd, "two", 0);
    for (int i = 0; i < 4; i++)
        finish(actors[i]);
    q_state(part.q);
    q_remove(part.q);
}

/* A child killed asleep does not take its parent's place in the line with it, nor the other way round. */
static void killed_child(int how)
{
    struct part part = new_part();
    struct actor *dies = spawn_by(how, "child", sleeps_msg, &part), *dies_too = spawn_by(how, "child", sleeps_mq, &part);

    wait_blocked(dies);
    wait_blocked(dies_too);
    kill_to_zombie(dies);
    kill_to_zombie(dies_too);
    snd(part.q, 1, "kept", 0);
    mq_snd(part.mqd, "kept", 0);
    look(&part);
    finish(dies);
    finish(dies_too);
    q_remove(part.q);
}

/* The parent is gone; its child lives on with the queues. */
static void parent_ends(void *argument)
{
    struct actor *orphan = spawn_by(count(GO), "orphan", sleeps_msg, argument);

    wait_blocked(orphan);
    orphan = spawn_by(count(GO), "orphan too", sleeps_mq, argument);
    wait_blocked(orphan);
}

static void orphans(int how)
{
    struct part part = new_part();
    struct actor *parent;

    stage->counter[GO] = how;
    parent = spawn_by(how, "parent", parent_ends, &part);
    finish(parent);
    snd(part.q, 1, "to the orphan", 0);
    mq_snd(part.mqd, "to the orphan", 0);
    for (int i = 1; i <= 2; i++) {
        struct actor *orphan = &stage->actor[i];
        char state;
        while ((state = task_state(orphan->pid, orphan->pid)) != 0 && state != 'Z')
            usleep(500);
        recite(orphan);
    }
    look(&part);
    q_remove(part.q);
}

/* ---- with threads ---- */

/* Another thread sleeps in a call while the process forks. */
static void beside_a_sleeper(int how)
{
    struct part part = new_part();
    struct actor *msg, *mq;

    wait_blocked(msg = spawn_thread("thread", sleeps_msg, &part));
    wait_blocked(mq = spawn_thread("thread", sleeps_mq, &part));
    finish(spawn_by(how, "child", uses, &part));
    finish(msg);
    finish(mq);
    look(&part);
    q_remove(part.q);
}

/* Threads use the queues without a pause while the process forks; no child finds a lock held. */
static void *hammers(void *argument)
{
    const struct part *part = argument;
    struct message message;
    char text[MQ_TEXT_MAX];

    while (count(DONE) == 0) {
        put(part->q, 5, "thread", IPC_NOWAIT);
        msgrcv(part->q, &message, TEXT_MAX, 5, IPC_NOWAIT);
        mq_put(part->mqd, "thread", 0);
        mq_receive(part->mqd, text, sizeof text, NULL);
    }
    return NULL;
}

static void quick_use(void *argument)
{
    const struct part *part = argument;
    struct message message;
    int works = 1;

    for (int i = 0; i < 5; i++) {
        works &= put(part->q, 9, "child", IPC_NOWAIT) == 0;
        works &= msgrcv(part->q, &message, TEXT_MAX, 9, IPC_NOWAIT) == 5;
    }
    if (works)
        bump(RETURNED);
}

static void under_fire(int how)
{
    struct part part = new_part();
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        need(pthread_create(&threads[i], NULL, hammers, &part) == 0, "pthread_create");
    for (int i = 0; i < 150; i++) {
        struct actor *actor;
        stage->actors = 0;
        memset(stage->actor, 0, sizeof stage->actor[0]);
        actor = spawn_by(how, "child", quick_use, &part);
        while (waitpid(actor->pid, NULL, 0) == -1)
            ;
    }
    bump(DONE);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    say("%d children came through", count(RETURNED));
    drain(part.q);
    mq_drain(part.mqd);
    q_remove(part.q);
}

/* ---- in a handler ---- */

static struct place *forker_place;

static void fork_in_handler(int number)
{
    pid_t child = fork_by(count(GO));

    (void)number;
    if (child == 0) {
        release(forker_place);
        _exit(0);
    }
    while (waitpid(child, NULL, 0) == -1)
        ;
    bump(HANDLED);
}

static void forks_in_handler(void *argument)
{
    struct sigaction action = {.sa_handler = fork_in_handler, .sa_flags = SA_RESTART};

    forker_place = argument;
    sigaction(SIGUSR1, &action, NULL);
    arrive();
    block_in(argument);
}

/* The handler that interrupts a call forks a child that serves the call. */
static void from_a_handler(int call, int how)
{
    struct place place = place_new(call);
    struct actor *actor;

    stage->counter[GO] = how;
    actor = spawn("waiter", forks_in_handler, &place);
    wait_blocked(actor);
    kill(actor->pid, SIGUSR1);
    finish(actor);
    leavings(&place);
    place_end(&place);
}

static void handler_forks(int how)
{
    from_a_handler(MSGRCV, how);
    from_a_handler(MSGSND, how);
    from_a_handler(MQ_RECEIVE, how);
    from_a_handler(MQ_TIMEDSEND, how);
}

/* ---- vfork, exec, places ---- */

static void vfork_and_exec(void)
{
    struct part part = new_part();

    snd(part.q, 1, "kept", 0);
    mq_snd(part.mqd, "kept", 0);
    for (int i = 0; i < 20; i++) {
        int status;
        pid_t pid = vfork();
        if (pid == 0) {
            execlp("true", "true", (char *)NULL);
            _exit(1);
        }
        need(waitpid(pid, &status, 0) == pid && status == 0, "waitpid");
    }
    need(system("true") == 0, "system");
    look(&part);
    q_remove(part.q);
}

static void other_directory(void)
{
    struct part part = new_part();

    need(chdir("/") == 0, "chdir");
    uses(&part);
    finish(spawn("child", uses_what_is_there, &part));
    look(&part);
    q_remove(part.q);
    part = new_part();
    uses(&part);
    q_remove(part.q);
}

/* An empty root directory: what is open stays usable, and so do System V queues by their identifiers. */
static void other_root(void)
{
    struct part part = new_part();
    char directory[] = "/tmp/usipc-scene-XXXXXX";

    if (!can_switch_uid())
        return;
    need(mkdtemp(directory) != NULL && chdir(directory) == 0, "mkdtemp");
    need(rmdir(directory) == 0, "rmdir");
    if (chroot(".") != 0) {
        say("chroot is refused here");
        return;
    }
    uses(&part);
    finish(spawn("child", uses_what_is_there, &part));
    look(&part);
    q_remove(part.q);
    part = new_part();
    uses(&part);
    q_remove(part.q);
}

SCENES(FOR_FORKS(child_uses), FOR_FORKS(first_use_in_child), FOR_FORKS(generations), FOR_FORKS(children_sleep),
       FOR_FORKS(killed_child), FOR_FORKS(orphans), FOR_FORKS(beside_a_sleeper), FOR_FORKS(under_fire),
       FOR_FORKS(handler_forks), SCENE(vfork_and_exec), SCENE(other_directory), SCENE(other_root))
