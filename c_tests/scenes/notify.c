/* mq_notify with SIGEV_SIGNAL and SIGEV_NONE: when it fires, what it carries, what ends it. */
#include "scene_mq.h"
#include <sys/signalfd.h>

enum { HANDLED, GO, DONE };

static int fired;

static void tell(int number, siginfo_t *info, void *context)
{
    (void)context;
    fired++;
    say("%s: code %s, from %s, own uid %d, value %d", signal_name(number),
        info->si_code == SI_MESGQ ? "SI_MESGQ" : "another", who(info->si_pid), info->si_uid == getuid(),
        info->si_value.sival_int);
    bump(HANDLED);
}

static void install(int number, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = {.sa_flags = SA_SIGINFO};

    action.sa_sigaction = handler;
    need(sigaction(number, &action, NULL) == 0, "sigaction");
}

static int ask(mqd_t mqd, int how, int number, int value)
{
    struct sigevent event;
    int registered;

    memset(&event, 0, sizeof event);
    event.sigev_notify = how;
    event.sigev_signo = number;
    event.sigev_value.sival_int = value;
    registered = mq_notify(mqd, &event);
    say("mq_notify(%s) %s", how == SIGEV_SIGNAL ? signal_name(number) : how == SIGEV_NONE ? "SIGEV_NONE" : "?",
        result(registered));
    return registered;
}

static int register_usr1(mqd_t mqd) { return ask(mqd, SIGEV_SIGNAL, SIGUSR1, 4711); }
static void cancel(mqd_t mqd) { say("mq_notify(NULL) %s", result(mq_notify(mqd, NULL))); }

static void send_and_look(mqd_t mqd, const char *text)
{
    int before = fired;

    mq_snd(mqd, text, 1);
    say("notified %d times", fired - before);
}

static void one_shot(void)
{
    mqd_t mqd = mq_new(4);

    install(SIGUSR1, tell);
    register_usr1(mqd);
    send_and_look(mqd, "first");
    send_and_look(mqd, "second");
    mq_drain(mqd);
    send_and_look(mqd, "third");
    mq_drain(mqd);
    register_usr1(mqd);
    send_and_look(mqd, "fourth");
}

static void only_from_empty(void)
{
    mqd_t mqd = mq_new(4);

    install(SIGUSR1, tell);
    mq_snd(mqd, "already there", 0);
    register_usr1(mqd);
    send_and_look(mqd, "one more");
    mq_rcv(mqd);
    send_and_look(mqd, "again");
    mq_drain(mqd);
    send_and_look(mqd, "from empty");
}

static void signal_numbers(void)
{
    static const int numbers[] = {40, SIGTERM, SIGURG, 64};
    mqd_t mqd = mq_new(4);

    for (size_t i = 0; i < LENGTH(numbers); i++) {
        install(numbers[i], tell);
        ask(mqd, SIGEV_SIGNAL, numbers[i], -5);
        send_and_look(mqd, "x");
        mq_drain(mqd);
    }
}

static void bad_arguments(void)
{
    mqd_t mqd = mq_new(4);
    int pipes[2];

    need(pipe(pipes) == 0, "pipe");
    ask(mqd, SIGEV_SIGNAL, 65, 0);
    ask(mqd, SIGEV_SIGNAL, -1, 0);
    ask(mqd, 77, SIGUSR1, 0);
    ask(mqd, -1, SIGUSR1, 0);
    ask((mqd_t)-1, SIGEV_SIGNAL, SIGUSR1, 0);
    ask((mqd_t)pipes[0], SIGEV_SIGNAL, SIGUSR1, 0);
    ask((mqd_t)-1, SIGEV_SIGNAL, 65, 0);
    cancel((mqd_t)-1);
    cancel((mqd_t)pipes[0]);
    cancel(mqd);
    ask(mqd, SIGEV_SIGNAL, 0, 0);
    ask(mqd, SIGEV_SIGNAL, 0, 0);
    mq_snd(mqd, "to signal 0", 0);
    ask(mqd, SIGEV_NONE, 65, 0);
    cancel(mqd);
}

/* The access mode of the descriptor does not matter. */
static void access_modes(void)
{
    mqd_t mqd = mq_new(4), reader = mq_again(O_RDONLY), writer = mq_again(O_WRONLY);

    install(SIGUSR1, tell);
    register_usr1(reader);
    send_and_look(writer, "x");
    mq_drain(mqd);
    register_usr1(writer);
    send_and_look(mqd, "y");
}

static void none(void)
{
    mqd_t mqd = mq_new(4);

    ask(mqd, SIGEV_NONE, 0, 0);
    ask(mqd, SIGEV_NONE, 0, 0);
    mq_snd(mqd, "x", 0);
    ask(mqd, SIGEV_NONE, 0, 0);
    cancel(mqd);
    ask(mqd, SIGEV_NONE, 0, 0);
}

static void busy(void)
{
    mqd_t mqd = mq_new(4), other = mq_again(O_RDWR);

    register_usr1(mqd);
    register_usr1(mqd);
    register_usr1(other);
    cancel(other);
    register_usr1(other);
    cancel(mqd);
    cancel(mqd);
}

/* ---- who else is there ---- */

static void receiver(void *argument)
{
    arrive();
    mq_rcv(*(mqd_t *)argument);
}

static void not_with_a_sleeping_receiver(void)
{
    mqd_t mqd = mq_new(4);
    struct actor *actor = spawn("receiver", receiver, &mqd);

    install(SIGUSR1, tell);
    wait_blocked(actor);
    register_usr1(mqd);
    send_and_look(mqd, "for the receiver");
    finish(actor);
    mq_state(mqd);
    send_and_look(mqd, "for the handler");
    mq_drain(mqd);
}

static void receiver_that_left(void)
{
    mqd_t mqd = mq_new(4);
    struct actor *actor = spawn("receiver", receiver, &mqd);

    install(SIGUSR1, tell);
    wait_blocked(actor);
    register_usr1(mqd);
    kill_to_zombie(actor);
    send_and_look(mqd, "for the handler");
    finish(actor);
}

static void sleeping_sender(void *argument)
{
    arrive();
    mq_snd(*(mqd_t *)argument, "waited", 0);
}

/* A full queue of one: the receive takes a sleeping sender's message over, the queue was never empty. */
static void taken_over(void)
{
    mqd_t mqd = mq_new(1);
    struct actor *actor;

    install(SIGUSR1, tell);
    mq_fill(mqd, 0);
    actor = spawn("sender", sleeping_sender, &mqd);
    wait_blocked(actor);
    register_usr1(mqd);
    mq_rcv(mqd);
    finish(actor);
    say("notified %d times", fired);
    mq_drain(mqd);
    send_and_look(mqd, "from empty");
}

static void sends(void *argument)
{
    mq_snd(*(mqd_t *)argument, "from a child", 0);
}

static void from_another_process(void)
{
    mqd_t mqd = mq_new(4);

    install(SIGUSR1, tell);
    register_usr1(mqd);
    finish(spawn("sender", sends, &mqd));
    await(HANDLED, 1);
    mq_drain(mqd);
}

static void registrant(void *argument)
{
    mqd_t mqd = *(mqd_t *)argument;

    install(SIGUSR1, tell);
    register_usr1(mqd);
    bump(GO);
    await(HANDLED, 1);
    mq_drain(mqd);
}

static void to_another_process(void)
{
    mqd_t mqd = mq_new(4);
    struct actor *actor = spawn("registrant", registrant, &mqd);

    await(GO, 1);
    register_usr1(mqd);
    cancel(mqd);
    register_usr1(mqd);
    mq_snd(mqd, "hello", 0);
    finish(actor);
    register_usr1(mqd);
}

static void unprepared(void *argument)
{
    register_usr1(*(mqd_t *)argument);
    arrive();
    for (;;)
        pause();
}

static void default_action(void)
{
    mqd_t mqd = mq_new(4);
    struct actor *actor = spawn("registrant", unprepared, &mqd);

    wait_blocked(actor);
    mq_snd(mqd, "deadly", 0);
    finish(actor);
}

/* ---- ways to take the signal ---- */

static void block_usr1(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void sigwaitinfo_takes_it(void)
{
    mqd_t mqd = mq_new(4);
    siginfo_t info;
    sigset_t set;

    block_usr1();
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    for (int i = 0; i < 3; i++) {
        register_usr1(mqd);
        finish(spawn("sender", sends, &mqd));
        say("sigwaitinfo = %s", signal_name(sigwaitinfo(&set, &info)));
        tell(info.si_signo, &info, NULL);
        mq_drain(mqd);
    }
}

/* When mq_send has returned, the signal is there. */
static void pending_at_once(void)
{
    mqd_t mqd = mq_new(4);
    sigset_t set;

    block_usr1();
    register_usr1(mqd);
    mq_snd(mqd, "x", 0);
    sigpending(&set);
    say("pending %d", sigismember(&set, SIGUSR1));
}

static void signalfd_takes_it(void)
{
    mqd_t mqd = mq_new(4);
    struct signalfd_siginfo info;
    sigset_t set;
    int file;

    block_usr1();
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    file = signalfd(-1, &set, SFD_CLOEXEC);
    need(file != -1, "signalfd");
    register_usr1(mqd);
    finish(spawn("sender", sends, &mqd));
    need(read(file, &info, sizeof info) == sizeof info, "read");
    say("signalfd: %s, code %s, from %s, value %d", signal_name(info.ssi_signo),
        info.ssi_code == SI_MESGQ ? "SI_MESGQ" : "another", who(info.ssi_pid), info.ssi_int);
}

/* UNP's mqnotifysig1: the handler registers again and receives. */
static mqd_t handler_mqd;

static void receive_in_handler(int number, siginfo_t *info, void *context)
{
    char text[MQ_TEXT_MAX];
    ssize_t length;
    struct sigevent event;

    (void)number, (void)info, (void)context;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR1;
    say("in the handler: mq_notify %s", result(mq_notify(handler_mqd, &event)));
    while ((length = mq_receive(handler_mqd, text, sizeof text, NULL)) != -1)
        say("in the handler: \"%.*s\"", (int)length, text);
    say("in the handler: %s", result(-1));
    bump(HANDLED);
}

static void sender_of_ten(void *argument)
{
    char text[16];

    for (int i = 1; i <= 10; i++) {
        snprintf(text, sizeof text, "number %d", i);
        need(mq_put(*(mqd_t *)argument, text, 0) == 0, "mq_send");
        await(HANDLED, i);
    }
}

static void handler_receives(void)
{
    mqd_t mqd = mq_new(4);
    struct actor *actor;

    handler_mqd = mq_again(O_RDONLY | O_NONBLOCK);
    install(SIGUSR1, receive_in_handler);
    register_usr1(mqd);
    actor = spawn("sender", sender_of_ten, &mqd);
    while (count(HANDLED) < 10)
        usleep(500);
    finish(actor);
}

/* The signal interrupts a call that sleeps on another queue. */
static void interrupts(void)
{
    mqd_t mqd = mq_new(4), other = mq_fresh(MQ_NAME2, 1, O_RDWR, 0600);

    install(SIGUSR1, tell);
    register_usr1(mqd);
    finish(spawn("early sender", sends, &mqd));
    await(HANDLED, 1);
    mq_drain(mqd);
    mq_fill(other, 0);
    register_usr1(mqd);
    if (fork() == 0) {
        while (!looks_asleep(stage->main_pid, stage->main_pid))
            usleep(500);
        _exit(mq_put(mqd, "wake up", 0));
    }
    mq_snd(other, "never", 0);
    mq_drain(mqd);
}

SCENES(SCENE(one_shot), SCENE(only_from_empty), SCENE(signal_numbers), SCENE(bad_arguments), SCENE(access_modes),
       SCENE(none), SCENE(busy), SCENE(not_with_a_sleeping_receiver), SCENE(receiver_that_left), SCENE(taken_over),
       SCENE(from_another_process), SCENE(to_another_process), SCENE(default_action), SCENE(sigwaitinfo_takes_it),
       SCENE(pending_at_once), SCENE(signalfd_takes_it), SCENE(handler_receives), SCENE(interrupts))
