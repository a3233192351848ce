/*
 * What a signal handler sees and leaves behind when it runs in the middle of a blocked call: siginfo,
 * stack, masks, flags; and handlers that use the very queue that the interrupted call waits on.
 */
#include "scene_block.h"

enum { HANDLED, RETURNED };

static char alternate_stack[65536];
static struct place *handler_place;

static const char *code_name(int code)
{
    switch (code) {
    case SI_USER: return "SI_USER";
    case SI_QUEUE: return "SI_QUEUE";
    case SI_TKILL: return "SI_TKILL";
    case SI_MESGQ: return "SI_MESGQ";
    case SI_TIMER: return "SI_TIMER";
    case CLD_EXITED: return "CLD_EXITED";
    default: return "SI_?";
    }
}

static void say_mask(const char *when)
{
    sigset_t set;

    pthread_sigmask(SIG_BLOCK, NULL, &set);
    say("%s blocked: USR1 %d USR2 %d HUP %d TERM %d WINCH %d RT %d", when, sigismember(&set, SIGUSR1),
        sigismember(&set, SIGUSR2), sigismember(&set, SIGHUP), sigismember(&set, SIGTERM),
        sigismember(&set, SIGWINCH), sigismember(&set, 40));
}

static int on_alternate_stack(void)
{
    char here;

    return (char *)&here >= alternate_stack && (char *)&here < alternate_stack + sizeof alternate_stack;
}

static void tell(int number, siginfo_t *info, void *context)
{
    say("handler: %s, si_signo %s, %s, value %d, errno %d, context %s, alternate stack %s", signal_name(number),
        signal_name(info->si_signo), code_name(info->si_code),
        info->si_code == SI_QUEUE ? info->si_value.sival_int : 0, info->si_errno, context ? "given" : "NULL",
        on_alternate_stack() ? "yes" : "no");
    if (info->si_code == SI_QUEUE || info->si_code == SI_USER)
        say("handler: from %s, own uid %d", who(info->si_pid), info->si_uid == getuid());
    say_mask("handler:");
    bump(HANDLED);
}

static void install(int number, int flags, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | flags};

    action.sa_sigaction = handler;
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGHUP);
    sigaddset(&action.sa_mask, SIGTERM);
    need(sigaction(number, &action, NULL) == 0, "sigaction");
}

static void say_action(const char *what, int number)
{
    struct sigaction action;

    need(sigaction(number, NULL, &action) == 0, "sigaction");
    say("%s: handler %s, flags %#x, mask HUP %d TERM %d USR2 %d", what,
        action.sa_handler == SIG_DFL   ? "SIG_DFL"
        : action.sa_handler == SIG_IGN ? "SIG_IGN"
        : action.sa_sigaction == tell  ? "tell"
                                       : "other",
        (unsigned)action.sa_flags, sigismember(&action.sa_mask, SIGHUP), sigismember(&action.sa_mask, SIGTERM),
        sigismember(&action.sa_mask, SIGUSR2));
}

struct part {
    struct place place;
    int number;
    int flags;
    void (*handler)(int, siginfo_t *, void *);
};

static void waiter(void *argument)
{
    struct part *part = argument;
    stack_t stack = {.ss_sp = alternate_stack, .ss_size = sizeof alternate_stack};
    sigset_t set;

    need(sigaltstack(&stack, NULL) == 0, "sigaltstack");
    handler_place = &part->place;
    install(part->number, part->flags, part->handler);
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, NULL);
    say_mask("before");
    arrive();
    block_in(&part->place);
    say_mask("after");
    say_action("action after", part->number);
    bump(RETURNED);
}

/* Goes on once the handler ran and the call has either ended or fallen asleep again. */
static void settle(struct actor *actor, int handled)
{
    await(HANDLED, handled);
    while (count(RETURNED) == 0 && !looks_asleep(actor->pid, actor->tid))
        usleep(500);
}

static void interrupted(int call, int flags, int by_queue)
{
    struct part part = {place_new(call), by_queue ? 40 : SIGUSR1, flags, tell};
    struct actor *actor = spawn("waiter", waiter, &part);

    wait_blocked(actor);
    if (by_queue)
        sigqueue(actor->pid, part.number, (union sigval){.sival_int = 4711});
    else
        kill(actor->pid, part.number);
    settle(actor, 1);
    if (count(RETURNED) == 0)
        release(&part.place);
    finish(actor);
    leavings(&part.place);
}

static void plain(int call) { interrupted(call, 0, 0); }
static void queued_value(int call) { interrupted(call, SA_RESTART, 1); }
static void onstack(int call) { interrupted(call, SA_ONSTACK, 0); }
static void onstack_restart(int call) { interrupted(call, SA_ONSTACK | SA_RESTART, 1); }
static void resethand(int call) { interrupted(call, SA_RESETHAND | SA_RESTART, 0); }
static void nodefer(int call) { interrupted(call, SA_NODEFER, 0); }

/* All flags together, four values queued: none is lost, their order stays. */
static void four_queued(int call)
{
    struct part part = {place_new(call), 40, SA_RESTART, tell};
    struct actor *actor = spawn("waiter", waiter, &part);
    int handled = 0;

    wait_blocked(actor);
    for (int i = 1; i <= 4 && count(RETURNED) == 0; i++) {
        sigqueue(actor->pid, 40, (union sigval){.sival_int = i});
        settle(actor, ++handled);
    }
    if (count(RETURNED) == 0)
        release(&part.place);
    finish(actor);
}

/* ---- handlers that use the queues ---- */

/* Lets the interrupted call go on by doing its counterpart on the same queue. */
static void serve(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info, (void)context;
    say("handler begins");
    release(handler_place);
    say("handler ends");
    bump(HANDLED);
}

static void served_with(int call, int flags)
{
    struct part part = {place_new(call), SIGUSR1, flags, serve};
    struct actor *actor = spawn("waiter", waiter, &part);

    wait_blocked(actor);
    kill(actor->pid, SIGUSR1);
    await(RETURNED, 1);
    finish(actor);
    leavings(&part.place);
}

static void served_by_handler(int call) { served_with(call, 0); }
static void served_by_restarting_handler(int call) { served_with(call, SA_RESTART); }

/* The handler does the same call as the one it interrupts, without waiting, and looks at the queue. */
static void look(int number, siginfo_t *info, void *context)
{
    const struct place *place = handler_place;
    char text[MQ_TEXT_MAX];
    struct timespec past = {1, 0};

    (void)number, (void)info, (void)context;
    if (!call_is_mq(place->call)) {
        q_state(place->q);
        if (place->call == MSGSND)
            snd(place->q, 2, "from handler", IPC_NOWAIT);
        else
            rcv(place->q, 0, IPC_NOWAIT);
    } else {
        mq_state(place->mqd);
        if (call_sends(place->call))
            say("mq_timedsend %s", result(mq_timedsend(place->mqd, "x", 1, 1, &past)));
        else
            say("mq_timedreceive %s", result(mq_timedreceive(place->mqd, text, sizeof text, NULL, &past)));
    }
    bump(HANDLED);
}

static void looked_at_by_handler(int call)
{
    struct part part = {place_new(call), SIGUSR1, SA_RESTART, look};
    struct actor *actor = spawn("waiter", waiter, &part);

    wait_blocked(actor);
    kill(actor->pid, SIGUSR1);
    settle(actor, 1);
    if (count(RETURNED) == 0)
        release(&part.place);
    finish(actor);
    leavings(&part.place);
}

/* The handler blocks in the same call; two messages (or slots) serve both, the handler first. */
static void block_again(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info, (void)context;
    say("handler blocks");
    bump(HANDLED);
    arrive();
    block_in(handler_place);
    say("handler served");
}

static void nested(int call)
{
    struct part part = {place_new(call), SIGUSR1, SA_RESTART, block_again};
    struct actor *actor = spawn("waiter", waiter, &part);

    wait_blocked(actor);
    kill(actor->pid, SIGUSR1);
    wait_blocked(actor);
    release(&part.place);
    while (count(RETURNED) == 0 && !looks_asleep(actor->pid, actor->tid))
        usleep(500);
    if (count(RETURNED) == 0)
        release(&part.place);
    finish(actor);
    leavings(&part.place);
}

/* ---- what sigaction and its relatives give back ---- */

static void other(int number) { (void)number; }

static void old_actions(void)
{
    static const int flags[] = {0,          SA_RESTART, SA_NODEFER, SA_RESETHAND, SA_ONSTACK, SA_NOCLDSTOP,
                                SA_NOCLDWAIT, SA_RESTART | SA_ONSTACK | SA_NODEFER | SA_RESETHAND};
    struct place place = place_new(MQ_RECEIVE);
    struct sigaction action = {.sa_handler = other};

    for (size_t i = 0; i < LENGTH(flags); i++) {
        install(SIGUSR1, flags[i], tell);
        say_action("sigaction", SIGUSR1);
        action.sa_flags = flags[i];
        need(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
        say_action("without SA_SIGINFO", SIGUSR1);
    }
    say("signal() gives back %s", signal(SIGUSR1, SIG_IGN) == other ? "other" : "something else");
    say_action("signal(SIG_IGN)", SIGUSR1);
    say("signal() gives back %s", signal(SIGUSR1, SIG_DFL) == SIG_IGN ? "SIG_IGN" : "something else");
    say_action("signal(SIG_DFL)", SIGUSR1);
    say("signal() gives back %s", signal(SIGUSR1, other) == SIG_DFL ? "SIG_DFL" : "something else");
    say_action("signal(other)", SIGUSR1);
    place_end(&place);
}

static void refused_actions(void)
{
    static const int numbers[] = {0, -1, SIGKILL, SIGSTOP, 32, 33, 65, 1000};
    struct sigaction action = {.sa_handler = other};

    for (size_t i = 0; i < LENGTH(numbers); i++) {
        say("sigaction(%d) to set %s", numbers[i], result(sigaction(numbers[i], &action, NULL)));
        say("sigaction(%d) to ask %s", numbers[i], result(sigaction(numbers[i], NULL, &action)));
        say("signal(%d) %s", numbers[i], signal(numbers[i], SIG_IGN) == SIG_ERR ? result(-1) : "works");
        action.sa_handler = other;
    }
}

/* A handler set before a fork is the child's too, also when it runs in a blocked call. */
static void inheriting(void *argument)
{
    arrive();
    block_in(argument);
    say_action("in the child", SIGUSR1);
}

static void inherited(int call)
{
    struct place place = place_new(call);
    struct actor *actor;

    install(SIGUSR1, 0, tell);
    actor = spawn("child", inheriting, &place);
    wait_blocked(actor);
    kill(actor->pid, SIGUSR1);
    await(HANDLED, 1);
    while (task_state(actor->pid, actor->tid) != 'Z' && !looks_asleep(actor->pid, actor->tid))
        usleep(500);
    if (task_state(actor->pid, actor->tid) != 'Z')
        release(&place);
    finish(actor);
}

/* A sleeping call interrupted while errno holds something: the handler's own errno stays its own. */
static void spoil_errno(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info, (void)context;
    errno = ERANGE;
    bump(HANDLED);
}

static void errno_after(int call)
{
    struct part part = {place_new(call), SIGUSR1, 0, spoil_errno};
    struct actor *actor = spawn("waiter", waiter, &part);

    wait_blocked(actor);
    kill(actor->pid, SIGUSR1);
    settle(actor, 1);
    if (count(RETURNED) == 0)
        release(&part.place);
    finish(actor);
}

SCENES(FOR_CALLS(plain), FOR_CALLS(queued_value), FOR_CALLS(onstack), FOR_CALLS(onstack_restart),
       FOR_CALLS(resethand), FOR_CALLS(nodefer), FOR_CALLS(four_queued), FOR_CALLS(served_by_handler),
       FOR_CALLS(served_by_restarting_handler), FOR_CALLS(looked_at_by_handler), FOR_CALLS(nested),
       FOR_CALLS(inherited), FOR_CALLS(errno_after), SCENE(old_actions), SCENE(refused_actions))
