/*
 * A signal while blocked. msgsnd and msgrcv end with EINTR after any handler, SA_RESTART or not; the mq
 * calls go on after a handler installed with SA_RESTART (signal(7)). Without a handler every call goes on.
 */
#include "scene_block.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

enum { HANDLED, RETURNED };

static void count_signal(int number)
{
    (void)number;
    bump(HANDLED);
}

static void by_sigaction(int number, int flags)
{
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = flags};

    need(sigaction(number, &action, NULL) == 0, "sigaction");
}

static void plain(int number) { by_sigaction(number, 0); }
static void restart(int number) { by_sigaction(number, SA_RESTART); }
static void by_signal(int number) { signal(number, count_signal); }
static void by_sysv_signal(int number) { sysv_signal(number, count_signal); }
static void by_sigset(int number) { sigset(number, count_signal); }
static void ignored(int number) { signal(number, SIG_IGN); }
static void untouched(int number) { (void)number; }
static void defaulted(int number) { plain(number), signal(number, SIG_DFL); }

static void by_siginterrupt_on(int number)
{
    by_signal(number);
    siginterrupt(number, 1);
}

static void by_siginterrupt_off(int number)
{
    plain(number);
    siginterrupt(number, 0);
}

/* signal() remembers what siginterrupt() said. */
static void by_signal_after_siginterrupt(int number)
{
    siginterrupt(number, 1);
    by_signal(number);
}

static void plain_over_restart(int number)
{
    restart(number);
    plain(number);
}

struct way {
    const char *name;
    void (*install)(int);
    int number;
    int handled;
};

static const struct way ways[] = {
    {"sigaction", plain, SIGUSR1, 1},
    {"sigaction SA_RESTART", restart, SIGUSR1, 1},
    {"signal()", by_signal, SIGUSR1, 1},
    {"sysv_signal()", by_sysv_signal, SIGUSR1, 1},
    {"sigset()", by_sigset, SIGUSR1, 1},
    {"siginterrupt(1) over signal()", by_siginterrupt_on, SIGUSR1, 1},
    {"siginterrupt(0) over sigaction", by_siginterrupt_off, SIGUSR1, 1},
    {"signal() after siginterrupt(1)", by_signal_after_siginterrupt, SIGUSR1, 1},
    {"sigaction over SA_RESTART", plain_over_restart, SIGUSR1, 1},
    {"real-time signal", plain, 40, 1},
    {"real-time signal SA_RESTART", restart, 40, 1},
    {"SIGCHLD with a handler", plain, SIGCHLD, 1},
    {"SIG_IGN", ignored, SIGUSR1, 0},
    {"ignored by default: SIGURG", untouched, SIGURG, 0},
    {"ignored by default: SIGWINCH", untouched, SIGWINCH, 0},
    {"back to the default: SIGURG", defaulted, SIGURG, 0},
};

static const struct way no_handler = {"no handler", untouched, SIGURG, 0};
static const struct way restarting = {"restarting", restart, SIGUSR1, 1};

struct part {
    const struct way *way;
    struct place place;
};

static void waiter(void *argument)
{
    struct part *part = argument;

    part->way->install(part->way->number);
    arrive();
    block_in(&part->place);
    bump(RETURNED);
}

/* Did the call end, or does it sleep again? Its end is flagged before anything else could sleep. */
static int ended(struct actor *actor, int before)
{
    for (;;) {
        int asleep = looks_asleep(actor->pid, actor->tid);
        if (count(RETURNED) > before)
            return 1;
        if (asleep)
            return 0;
        usleep(500);
    }
}

static void play_way(const struct way *way, int call)
{
    struct part part = {way, place_new(call)};
    int handled = count(HANDLED), returned = count(RETURNED);
    struct actor *actor = spawn("waiter", waiter, &part);

    say("%s", way->name);
    wait_blocked(actor);
    kill(actor->pid, way->number);
    if (way->handled)
        await(HANDLED, handled + 1);
    if (ended(actor, returned)) {
        say("the call ended");
    } else {
        say("the call went on");
        release(&part.place);
    }
    finish(actor);
    say("handled %d times", count(HANDLED) - handled);
    leavings(&part.place);
    place_end(&part.place);
}

static void signals(int call)
{
    for (size_t i = 0; i < LENGTH(ways); i++)
        play_way(&ways[i], call);
}

/* Stopped and continued, with no handler: nothing happens. */
static void stop_and_go(int call)
{
    struct part part = {&no_handler, place_new(call)};
    struct actor *actor = spawn("waiter", waiter, &part);

    wait_blocked(actor);
    for (int i = 0; i < 3; i++) {
        kill(actor->pid, SIGSTOP);
        wait_state(actor->pid, actor->tid, 'T');
        kill(actor->pid, SIGCONT);
        say("%s", ended(actor, 0) ? "the call ended" : "the call went on");
    }
    release(&part.place);
    finish(actor);
    leavings(&part.place);
}

static void go_with_handler(int call, void (*install)(int))
{
    struct way way = {"SIGCONT", install, SIGCONT, 1};
    struct part part = {&way, place_new(call)};
    struct actor *actor = spawn("waiter", waiter, &part);

    wait_blocked(actor);
    kill(actor->pid, SIGSTOP);
    wait_state(actor->pid, actor->tid, 'T');
    kill(actor->pid, SIGCONT);
    await(HANDLED, 1);
    if (ended(actor, 0)) {
        say("the call ended");
    } else {
        say("the call went on");
        release(&part.place);
    }
    finish(actor);
    leavings(&part.place);
}

static void continued_plain(int call) { go_with_handler(call, plain); }
static void continued_restart(int call) { go_with_handler(call, restart); }

/* Blocked signals do not disturb; the call sees them when it is over. */
static void masked_waiter(void *argument)
{
    struct part *part = argument;
    sigset_t set, before;

    plain(SIGUSR1);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &before);
    arrive();
    block_in(&part->place);
    say("handled %d times before unblocking", count(HANDLED));
    sigprocmask(SIG_SETMASK, &before, NULL);
    say("handled %d times after", count(HANDLED));
}

static void masked(int call)
{
    struct part part = {NULL, place_new(call)};
    struct actor *actor = spawn("waiter", masked_waiter, &part);

    wait_blocked(actor);
    kill(actor->pid, SIGUSR1);
    wait_asleep(actor);
    release(&part.place);
    finish(actor);
}

/* Many handled signals in a row, then the call is served. */
static void many_restarts(int call)
{
    struct part part = {&restarting, place_new(call)};
    struct actor *actor = spawn("waiter", waiter, &part);
    int ends = 0;

    wait_blocked(actor);
    for (int i = 1; i <= 50 && !ends; i++) {
        kill(actor->pid, SIGUSR1);
        await(HANDLED, i);
        ends = ended(actor, 0);
    }
    if (!ends)
        release(&part.place);
    finish(actor);
    leavings(&part.place);
}

/* A signal that arrived before the call is no reason to end it. */
static void early_waiter(void *argument)
{
    struct part *part = argument;

    plain(SIGUSR1);
    raise(SIGUSR1);
    arrive();
    block_in(&part->place);
}

static void early(int call)
{
    struct part part = {NULL, place_new(call)};
    struct actor *actor = spawn("waiter", early_waiter, &part);

    wait_blocked(actor);
    release(&part.place);
    finish(actor);
    say("handled %d times", count(HANDLED));
}

SCENES(FOR_CALLS(signals), FOR_CALLS(stop_and_go), FOR_CALLS(continued_plain), FOR_CALLS(continued_restart),
       FOR_CALLS(masked), FOR_CALLS(many_restarts), FOR_CALLS(early))
