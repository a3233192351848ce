/*
 * Signals for those asleep in semop and semtimedop: a handler always ends the call with EINTR, SA_RESTART
 * or not, and it finds the set as if the call had never been made. It may use that very set, remove it,
 * sleep on it, or leave by siglongjmp.
 */
#include "scene_sem.h"
#include <setjmp.h>
#include <sys/time.h>

enum { HANDLED, RETURNED };

static int the_set;
static void (*in_handler)(void);
static sigjmp_buf back;

static void handle(int number)
{
    (void)number;
    bump(HANDLED);
    if (in_handler != NULL)
        in_handler();
}

static void install(int number, int flags)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = flags};

    need(sigaction(number, &action, NULL) == 0, "sigaction");
}

struct part {
    int set;
    const char *text;
    int timed;
    int flags;
    void (*in_handler)(void);
};

static void waiter(void *argument)
{
    const struct part *part = argument;

    the_set = part->set;
    in_handler = part->in_handler;
    install(SIGUSR1, part->flags);
    arrive();
    if (part->timed)
        op_for(part->set, part->text, 3600 * 1000);
    else
        op(part->set, part->text);
    bump(RETURNED);
}

static struct actor *interrupted(struct part *part)
{
    struct actor *actor = spawn("waiter", waiter, part);

    wait_blocked(actor);
    kill(actor->pid, SIGUSR1);
    await(HANDLED, 1);
    return actor;
}

enum { SEMOP, SEMTIMEDOP };

static void always_interrupted(int timed)
{
    static const int flags[] = {0, SA_RESTART, SA_RESTART | SA_NODEFER, SA_RESETHAND};
    static const char *const texts[] = {"0-1", "1=0", "1-1 0-1u", "0-1u"};
    int set = set_new(2);

    setval(set, 1, 1);
    for (size_t i = 0; i < LENGTH(flags); i++) {
        struct part part = {set, texts[i], timed, flags[i], NULL};
        stage->counter[HANDLED] = 0;
        finish(interrupted(&part));
        set_state(set);
    }
}

/* Signals without a handler, and those that are blocked, do not end the sleep. */
static void masked_waiter(void *argument)
{
    sigset_t set;

    install(SIGUSR1, 0);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sem_sleeper(argument);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    say("handled %d times", count(HANDLED));
}

static void undisturbed(void)
{
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGURG, SIGWINCH, SIGCHLD};
    int set = set_new(1);
    struct actor *actor = spawn("waiter", masked_waiter, sem_part(set, "0-1"));

    wait_blocked(actor);
    for (size_t i = 0; i < LENGTH(numbers); i++) {
        kill(actor->pid, numbers[i]);
        wait_asleep(actor);
    }
    set_state(set);
    op(set, "0+1");
    finish(actor);
}

/* ---- what the handler does ---- */

static void looks(void) { set_state(the_set); }
static void adds(void) { op(the_set, "0+1"); }
static void adds_and_takes(void) { op(the_set, "0+1 1+1u"), op(the_set, "0-1"); }
static void sets(void) { setval(the_set, 0, 5); }
static void removes(void) { say("IPC_RMID %s", result(ctl(the_set, 0, IPC_RMID))); }
static void fails(void) { op(the_set, "0-1n"), op(the_set, "9+1"), op_for(the_set, "0-1", 5); }

static void forks(void)
{
    pid_t child = fork();

    if (child == 0) {
        ops(the_set, "0+2");
        _exit(0);
    }
    while (waitpid(child, NULL, 0) == -1)
        ;
    set_state(the_set);
}

static void (*const acts[])(void) = {looks, adds, adds_and_takes, sets, removes, fails, forks};
enum { LOOKS, ADDS, ADDS_AND_TAKES, SETS, REMOVES, FAILS, FORKS };

static void handler_that(int act)
{
    struct part part = {set_new(2), "0-1", 0, SA_RESTART, acts[act]};

    finish(interrupted(&part));
    set_state(part.set);
}

/* Another sleeper, behind the one interrupted, is served by what the handler adds. */
static void handler_serves_another(void)
{
    struct part part = {set_new(2), "0-1", 0, 0, adds};
    struct actor *actor = spawn("waiter", waiter, &part), *next;

    wait_blocked(actor);
    next = sleeps("next", part.set, "0-1");
    kill(actor->pid, SIGUSR1);
    finish(actor);
    finish(next);
    set_state(part.set);
}

/* The handler sleeps on the same semaphore; what comes is the handler's, the outer call has ended. */
static void sleeps_too(void)
{
    arrive();
    op(the_set, "0-1");
    say("handler served");
}

static void nested_sleep(void)
{
    struct part part = {set_new(1), "0-1", 0, SA_RESTART, sleeps_too};
    struct actor *actor = interrupted(&part);

    wait_blocked(actor);
    set_state(part.set);
    op(part.set, "0+1");
    finish(actor);
    set_state(part.set);
}

/* Two threads asleep: the signal ends the sleep of the one that it is for. */
static void one_of_two_threads(void)
{
    int set = set_new(1);
    struct actor *first = thread_sleeps("first", set, "0-1"), *second = thread_sleeps("second", set, "0-1");

    install(SIGUSR1, SA_RESTART);
    pthread_kill(second->thread, SIGUSR1);
    finish(second);
    wait_asleep(first);
    set_state(set);
    op(set, "0+1");
    finish(first);
}

/* ---- siglongjmp ---- */

static void jumps(void) { siglongjmp(back, 1); }

static void jumper(void *argument)
{
    const struct part *part = argument;
    volatile int jumped = 0;

    the_set = part->set;
    in_handler = jumps;
    install(SIGUSR1, part->flags);
    if (sigsetjmp(back, 1) != 0)
        jumped++;
    if (jumped < 3) {
        arrive();
        op(part->set, part->text);
        say("the call came back");
    }
    set_state(part->set);
    arrive();
    op(part->set, "0-2");
}

static void jumped_out(int undo)
{
    struct part part = {set_new(2), undo ? "0-1u 1+1u" : "0-1 1+1", 0, SA_RESTART, NULL};
    struct actor *actor = spawn("jumper", jumper, &part), *next;

    for (int i = 1; i <= 3; i++) {
        wait_blocked(actor);
        kill(actor->pid, SIGUSR1);
        await(HANDLED, i);
    }
    wait_blocked(actor);
    next = sleeps("next", part.set, "0-1");
    set_state(part.set);
    op(part.set, "0+1");
    finish(next);
    op(part.set, "0+2");
    finish(actor);
    set_state(part.set);
}

enum { PLAIN, UNDO };

static void removes_and_jumps(void)
{
    ctl(the_set, 0, IPC_RMID);
    siglongjmp(back, 1);
}

static void removed_by_jumper(void)
{
    int set = set_new(1);

    the_set = set;
    in_handler = removes_and_jumps;
    install(SIGALRM, 0);
    if (sigsetjmp(back, 1) == 0) {
        ualarm(20000, 0);
        op(set, "0-1");
        say("the call came back");
    }
    set_state(set);
    set = set_new(1);
    op(set, "0+1");
    set_state(set);
}

/*
 * Jumps at any moment out of calls that take and give back: each is done or not done. The one token
 * stays one, and of what was taken with SEM_UNDO nothing is missing in the end.
 */
enum { STORE = 10000, JUMPS = 400 };

static void moves(void *argument)
{
    static const char *const texts[] = {"0-1u", "1-1 2+1", "0+1u", "2-1 1+1"};
    struct itimerval every = {{0, 700}, {0, 700}}, never = {{0, 0}, {0, 0}};
    static volatile unsigned jumped, turn;

    in_handler = jumps;
    install(SIGALRM, SA_RESTART);
    if (sigsetjmp(back, 1) != 0)
        jumped++;
    if (jumped == 0)
        setitimer(ITIMER_REAL, &every, NULL);
    while (jumped < JUMPS)
        ops(*(int *)argument, texts[turn++ % LENGTH(texts)]);
    setitimer(ITIMER_REAL, &never, NULL);
}

static void storm(void)
{
    int set = set_new(3);
    struct actor *actors[2];

    setall(set, STORE, 1, 0);
    for (size_t i = 0; i < LENGTH(actors); i++)
        actors[i] = spawn("mover", moves, &set);
    for (size_t i = 0; i < LENGTH(actors); i++)
        finish(actors[i]);
    say("%d, %d token, waiting n %s", value(set, 0), value(set, 1) + value(set, 2), each(set, 3, GETNCNT));
}

SCENES(SCENE_WITH(always_interrupted, SEMOP), SCENE_WITH(always_interrupted, SEMTIMEDOP), SCENE(undisturbed),
       SCENE_WITH(handler_that, LOOKS), SCENE_WITH(handler_that, ADDS), SCENE_WITH(handler_that, ADDS_AND_TAKES),
       SCENE_WITH(handler_that, SETS), SCENE_WITH(handler_that, REMOVES), SCENE_WITH(handler_that, FAILS),
       SCENE_WITH(handler_that, FORKS), SCENE(handler_serves_another), SCENE(nested_sleep), SCENE(one_of_two_threads),
       SCENE_WITH(jumped_out, PLAIN), SCENE_WITH(jumped_out, UNDO), SCENE(removed_by_jumper), SCENE(storm))
