/* mq_notify between users: the sender's uid need not be allowed to signal the registrant. */
#include "scene_mq.h"

enum { HANDLED, GO, THREADS, VALUE };

static void tell(int number, siginfo_t *info, void *context)
{
    (void)context;
    say("%s: code %s, from %s, uid %d, value %d", signal_name(number),
        info->si_code == SI_MESGQ ? "SI_MESGQ" : "another", who(info->si_pid), (int)info->si_uid,
        info->si_value.sival_int);
    bump(HANDLED);
}

struct part {
    uid_t uid;
    int rounds;
    const char *text;
};

static mqd_t shared_queue(long maxmsg)
{
    umask(0);
    return mq_fresh(MQ_NAME, maxmsg, O_RDWR, 0666);
}

static int register_signal(mqd_t mqd, int number)
{
    struct sigevent event;

    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = number;
    event.sigev_value.sival_int = 31;
    return mq_notify(mqd, &event);
}

/* Takes what comes, each time registered anew. */
static void registrant(void *argument)
{
    const struct part *part = argument;
    struct sigaction action = {.sa_flags = SA_SIGINFO};
    mqd_t mqd;

    if (part->uid != 0)
        become(part->uid);
    action.sa_sigaction = tell;
    sigaction(SIGUSR1, &action, NULL);
    mqd = mq_again(O_RDONLY);
    for (int i = 1; i <= part->rounds; i++) {
        say("mq_notify %s", result(register_signal(mqd, SIGUSR1)));
        bump(GO);
        await(HANDLED, i);
        mq_rcv(mqd);
    }
}

static void sender(void *argument)
{
    const struct part *part = argument;
    mqd_t mqd;

    if (part->uid != 0)
        become(part->uid);
    mqd = mq_again(O_WRONLY);
    for (int i = 1; i <= part->rounds; i++) {
        await(GO, i);
        mq_snd(mqd, part->text, i);
    }
}

static void between(uid_t registrant_uid, uid_t sender_uid)
{
    struct part registers = {registrant_uid, 3, NULL}, sends = {sender_uid, 3, "hello"};
    struct actor *actor, *other;

    if (!can_switch_uid())
        return;
    shared_queue(4);
    actor = spawn("registrant", registrant, &registers);
    other = spawn("sender", sender, &sends);
    finish(actor);
    finish(other);
}

static void strangers(void) { between(1000, 1001); }
static void same_user(void) { between(1000, 1000); }
static void root_to_user(void) { between(1000, 0); }
static void user_to_root(void) { between(0, 1001); }

/* The registrant takes the signal with sigwaitinfo. */
static void waiter(void *argument)
{
    const struct part *part = argument;
    siginfo_t info;
    sigset_t set;
    mqd_t mqd;

    become(part->uid);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    mqd = mq_again(O_RDONLY);
    register_signal(mqd, SIGUSR1);
    bump(GO);
    say("sigwaitinfo = %s", signal_name(sigwaitinfo(&set, &info)));
    tell(info.si_signo, &info, NULL);
    mq_rcv(mqd);
}

static void sigwaitinfo_takes_it(void)
{
    struct part registers = {1000, 1, NULL}, sends = {1001, 1, "hello"};
    struct actor *actor, *other;

    if (!can_switch_uid())
        return;
    shared_queue(4);
    actor = spawn("registrant", waiter, &registers);
    other = spawn("sender", sender, &sends);
    finish(actor);
    finish(other);
}

/* The registrant sleeps in a call on another queue when the signal comes. */
static void sleeper(void *argument)
{
    const struct part *part = argument;
    struct sigaction action = {.sa_flags = SA_SIGINFO};
    mqd_t mqd, other;

    become(part->uid);
    action.sa_sigaction = tell;
    sigaction(SIGUSR1, &action, NULL);
    mqd = mq_again(O_RDONLY);
    other = mq_fresh(MQ_NAME2, 1, O_RDWR, 0600);
    register_signal(mqd, SIGUSR1);
    arrive();
    mq_rcv(other);
    mq_rcv(mqd);
}

static void interrupts_a_sleep(void)
{
    struct part registers = {1000, 1, NULL}, sends = {1001, 1, "hello"};
    struct actor *actor;

    if (!can_switch_uid())
        return;
    shared_queue(4);
    actor = spawn("registrant", sleeper, &registers);
    wait_blocked(actor);
    bump(GO);
    finish(spawn("sender", sender, &sends));
    finish(actor);
}

/* Others cannot end a registration, and find the queue taken until its holder is gone. */
static void holder(void *argument)
{
    const struct part *part = argument;

    become(part->uid);
    say("registered %s", result(register_signal(mq_again(O_RDWR), SIGUSR1)));
    arrive();
    for (;;)
        pause();
}

static void tries(void *argument)
{
    const struct part *part = argument;
    mqd_t mqd;

    become(part->uid);
    mqd = mq_again(O_RDWR);
    say("NULL %s", result(mq_notify(mqd, NULL)));
    say("registered %s", result(register_signal(mqd, SIGUSR1)));
}

static void taken_by_another(void)
{
    struct part holds = {1000, 0, NULL}, wants = {1001, 0, NULL};
    struct actor *actor;

    if (!can_switch_uid())
        return;
    shared_queue(4);
    wait_blocked(actor = spawn("holder", holder, &holds));
    finish(spawn("stranger", tries, &wants));
    kill_to_zombie(actor);
    finish(spawn("stranger again", tries, &wants));
    finish(actor);
}

/* The registrant dies of the signal when it has no handler. */
static void default_action(void)
{
    struct part holds = {1000, 0, NULL}, sends = {1001, 1, "deadly"};
    struct actor *actor;

    if (!can_switch_uid())
        return;
    shared_queue(4);
    wait_blocked(actor = spawn("holder", holder, &holds));
    bump(GO);
    finish(spawn("sender", sender, &sends));
    finish(actor);
}

/* SIGEV_THREAD does not know users either. */
static mqd_t thread_mqd;

static void notified(union sigval value)
{
    stage->counter[VALUE] = value.sival_int;
    bump(THREADS);
}

static void thread_registrant(void *argument)
{
    const struct part *part = argument;
    struct sigevent event;

    become(part->uid);
    thread_mqd = mq_again(O_RDONLY);
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = notified;
    event.sigev_value.sival_int = 99;
    say("mq_notify %s", result(mq_notify(thread_mqd, &event)));
    bump(GO);
    await(THREADS, 1);
    say("notified in a thread, value %d", count(VALUE));
    mq_rcv(thread_mqd);
}

static void thread_between_users(void)
{
    struct part registers = {1000, 1, NULL}, sends = {1001, 1, "hello"};
    struct actor *actor, *other;

    if (!can_switch_uid())
        return;
    shared_queue(4);
    actor = spawn("registrant", thread_registrant, &registers);
    other = spawn("sender", sender, &sends);
    finish(actor);
    finish(other);
}

SCENES(SCENE(strangers), SCENE(same_user), SCENE(root_to_user), SCENE(user_to_root), SCENE(sigwaitinfo_takes_it),
       SCENE(interrupts_a_sleep), SCENE(taken_by_another), SCENE(default_action), SCENE(thread_between_users))
