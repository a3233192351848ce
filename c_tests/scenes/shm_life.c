/*
 * shm_nattch, shm_lpid and the times through the life of processes: fork in all its forms, vfork, exec,
 * exit, SIGKILL, threads. A child counts from the moment it is there, before it has done anything.
 */
#include "scene_shm.h"

enum { FORK, UNDERSCORE_FORK, RAW_CLONE };
enum { GO };

#define FOR_FORKS(function)                                                                            \
    SCENE_WITH(function, FORK), SCENE_WITH(function, UNDERSCORE_FORK), SCENE_WITH(function, RAW_CLONE)

/* glibc 2.34 has it; where it is missing, fork takes its part. */
extern pid_t _Fork(void) __attribute__((weak));

static struct actor *spawn_by(int how, const char *name, void (*body)(void *), void *arg)
{
    struct actor *actor = new_actor(name, body, arg);
    pid_t pid;

    switch (how) {
    case UNDERSCORE_FORK: pid = _Fork != NULL ? _Fork() : fork(); break;
    case RAW_CLONE: pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); break;
    default: pid = fork();
    }
    need(pid != -1, "fork");
    if (pid == 0)
        act(actor);
    actor->pid = pid;
    return actor;
}

/* Who holds an end of the pipe waits there, before anything else, for the stage's word. */
struct part {
    int segment;
    int go[2];
    char *memory;
    struct gate gate;
};

static struct part new_part(void)
{
    struct part part = {.segment = seg_new(PAGE), .gate = gate_new()};

    need(pipe(part.go) == 0, "pipe");
    part.memory = must_attach(part.segment);
    return part;
}

static void waits(void *argument)
{
    char byte;

    need(read(((struct part *)argument)->go[0], &byte, 1) == 1, "read");
}

static void let_go(struct part *part) { need(write(part->go[1], "x", 1) == 1, "write"); }

/* waitid, for whatever looks at a dying process keeps its memory for a moment. */
static void finish_and_look(struct actor *actor, int segment)
{
    finish(actor);
    seg_state(segment);
}

static void counted_at_once(int how)
{
    struct part part = new_part();
    struct actor *first, *second;

    seg_state(part.segment);
    first = spawn_by(how, "first", waits, &part);
    seg_state(part.segment);
    second = spawn_by(how, "second", waits, &part);
    seg_state(part.segment);
    let_go(&part);
    let_go(&part);
    finish(first);
    finish(second);
    say("%d", nattch(part.segment));
}

static void waits_and_detaches(void *argument)
{
    struct part *part = argument;

    waits(argument);
    dt("child's", part->memory);
    arrive();
    waits(argument);
}

static void child_detaches(int how)
{
    struct part part = new_part();
    struct actor *actor = spawn_by(how, "child", waits_and_detaches, &part);

    let_go(&part);
    wait_arrived(actor);
    seg_state(part.segment);
    let_go(&part);
    finish_and_look(actor, part.segment);
}

static void parent_detaches(int how)
{
    struct part part = new_part();
    struct actor *actor = spawn_by(how, "child", waits, &part);

    dt("parent's", part.memory);
    seg_state(part.segment);
    let_go(&part);
    finish_and_look(actor, part.segment);
}

/* The child is killed before it has made a call. */
static void child_killed(int how)
{
    struct part part = new_part();
    struct actor *actor = spawn_by(how, "child", waits, &part);

    /* Whose pid shm_lpid is to be, it must have told. */
    while (!looks_asleep(actor->pid, actor->pid))
        usleep(500);
    kill_to_zombie(actor);
    seg_state(part.segment);
    finish_and_look(actor, part.segment);
}

static void forks_on(void *argument)
{
    struct part *part = argument;
    struct actor *actor = spawn_by(count(GO), "grandchild", waits, argument);

    seg_state(part->segment);
    let_go(part);
    finish(actor);
    seg_state(part->segment);
    arrive();
    waits(argument);
}

static void fork_of_a_fork(int how)
{
    struct part part = new_part();
    struct actor *actor;

    stage->counter[GO] = how;
    actor = spawn_by(how, "child", forks_on, &part);
    wait_arrived(actor);
    seg_state(part.segment);
    let_go(&part);
    finish_and_look(actor, part.segment);
}

/* Several attachments of several segments: each is inherited. */
static void all_are_inherited(void)
{
    struct part part = new_part();
    int other = seg_new(PAGE), none = seg_new(PAGE);
    struct actor *actor;

    must_attach(part.segment);
    must_attach(other);
    must_attach(other);
    must_attach(other);
    actor = spawn("child", waits, &part);
    say("%d %d %d", nattch(part.segment), nattch(other), nattch(none));
    let_go(&part);
    finish(actor);
    say("%d %d %d", nattch(part.segment), nattch(other), nattch(none));
}

/* ---- vfork and exec ---- */

static void vfork_is_not_counted(void)
{
    struct part part = new_part();
    int in_child, status;
    pid_t pid;

    pid = vfork();
    if (pid == 0) {
        stage->counter[GO] = nattch(part.segment);
        execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    need(waitpid(pid, &status, 0) == pid && status == 0, "waitpid");
    in_child = count(GO);
    say("in the child %d", in_child);
    seg_state(part.segment);
    if ((pid = vfork()) == 0)
        _exit(0);
    need(waitpid(pid, &status, 0) == pid && status == 0, "waitpid");
    seg_state(part.segment);
    say("system %s", result(system("true")));
    say("%d", nattch(part.segment));
}

/* A vforked child that attaches does so for its parent. */
static void vforked_child_attaches(void)
{
    struct part part = new_part();
    static char *memory;
    int status;
    pid_t pid = vfork();

    if (pid == 0) {
        memory = (char *)shmat(part.segment, NULL, 0);
        _exit(0);
    }
    need(waitpid(pid, &status, 0) == pid && status == 0, "waitpid");
    say("%d", nattch(part.segment));
    memory[0] = 7;
    say("%d", part.memory[0]);
    dt("what it attached", memory);
    say("%d", nattch(part.segment));
}

static void executes(void *argument)
{
    (void)argument;
    execlp("sleep", "sleep", "1000", (char *)NULL);
}

static void exec_detaches(void)
{
    struct part part = new_part();
    struct actor *actor = spawn("becomes sleep", executes, &part);

    gate_wait(&part.gate);
    /* An exec closes the gate a moment before the lifeline: the last file first. */
    sleep_ms(20);
    seg_state(part.segment);
    kill_to_zombie(actor);
    finish_and_look(actor, part.segment);
}

static void failing_exec(void *argument)
{
    execl("/nowhere", "nowhere", (char *)NULL);
    seg_state(((struct part *)argument)->segment);
}

static void exec_that_fails(void)
{
    struct part part = new_part();

    finish_and_look(spawn("stays", failing_exec, &part), part.segment);
}

/* ---- ends ---- */

enum { EXIT, _EXIT, RETURN, KILLED, TERMINATED };

static void attaches_and_ends(void *argument)
{
    struct part *part = argument;

    must_attach(part->segment);
    seg_state(part->segment);
    switch (count(GO)) {
    case EXIT: exit(0);
    case _EXIT: _exit(0);
    case KILLED: raise(SIGKILL); break;
    case TERMINATED: raise(SIGTERM); break;
    default: break;
    }
}

static void ended(int way)
{
    struct part part = new_part();

    stage->counter[GO] = way;
    finish_and_look(spawn("ends", attaches_and_ends, &part), part.segment);
}

/* One who never attached, but looks and removes, leaves no trace but in the removal. */
static void looks(void *argument)
{
    struct shmid_ds ds;

    need(shmctl(((struct part *)argument)->segment, IPC_STAT, &ds) == 0, "IPC_STAT");
    shmdt(((struct part *)argument)->memory);
}

static void only_looks(void)
{
    struct part part = new_part();

    finish_and_look(spawn("detaches", looks, &part), part.segment);
}

/* ---- threads ---- */

static void attaches(void *argument)
{
    struct part *part = argument;

    must_attach(part->segment);
    seg_state(part->segment);
}

/* What a thread attaches is the process's; it stays when the thread ends. */
static void threads(void)
{
    struct part part = new_part();

    finish_and_look(spawn_thread("thread", attaches, &part), part.segment);
    finish_and_look(spawn_thread("thread", attaches, &part), part.segment);
}

static void forks_in_thread(void *argument)
{
    struct part *part = argument;
    struct actor *actor = spawn_by(count(GO), "child", waits, argument);

    seg_state(part->segment);
    let_go(part);
    finish(actor);
    seg_state(part->segment);
}

static void fork_in_a_thread(int how)
{
    struct part part = new_part();

    stage->counter[GO] = how;
    finish_and_look(spawn_thread("thread", forks_in_thread, &part), part.segment);
}

static void house(void *argument)
{
    struct part *part = argument;

    finish(spawn_thread("thread", attaches, argument));
    seg_state(part->segment);
    arrive();
    waits(argument);
}

static void a_whole_house_killed(void)
{
    struct part part = new_part();
    struct actor *actor = spawn("house", house, &part);

    wait_arrived(actor);
    seg_state(part.segment);
    kill_to_zombie(actor);
    seg_state(part.segment);
    finish(actor);
}

/* ---- many ---- */

/* Attached and detached by many at once, killed at any moment: none is counted that is not there. */
static void attaches_on_and_on(void *argument)
{
    struct part *part = argument;

    for (;;) {
        char *memory = attach(part->segment, NULL, 0);
        if (memory == FAILED || (memory[0]++, shmdt(memory)) != 0)
            _exit(1);
    }
}

static void killed_at_work(void)
{
    struct part part = new_part();
    int failed = 0;

    for (int i = 0; i < 60; i++) {
        pid_t pids[2];
        int status;
        for (int k = 0; k < 2; k++)
            if ((pids[k] = fork()) == 0)
                attaches_on_and_on(&part);
        usleep(i * 53 % 1500);
        for (int k = 0; k < 2; k++) {
            kill(pids[k], SIGKILL);
            waitpid(pids[k], &status, 0);
            failed += !WIFSIGNALED(status);
        }
        failed += nattch(part.segment) != 1;
    }
    say("%d failed, %d attached", failed, nattch(part.segment));
}

SCENES(FOR_FORKS(counted_at_once), FOR_FORKS(child_detaches), FOR_FORKS(parent_detaches), FOR_FORKS(child_killed),
       FOR_FORKS(fork_of_a_fork), SCENE(all_are_inherited), SCENE(vfork_is_not_counted), SCENE(vforked_child_attaches),
       SCENE(exec_detaches), SCENE(exec_that_fails), SCENE_WITH(ended, EXIT), SCENE_WITH(ended, _EXIT),
       SCENE_WITH(ended, RETURN), SCENE_WITH(ended, KILLED), SCENE_WITH(ended, TERMINATED), SCENE(only_looks),
       SCENE(threads), FOR_FORKS(fork_in_a_thread), SCENE(a_whole_house_killed), SCENE(killed_at_work))
