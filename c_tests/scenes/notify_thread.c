/*
 * mq_notify with SIGEV_THREAD: the thread it starts, with and without attributes. A send that starts a
 * thread is silent (mq_put), since who speaks first would be a race.
 */
#include "scene_mq.h"

enum { THREADS, GO, DONE };

static mqd_t queue;
static pthread_t main_thread;

static int ask(mqd_t mqd, void (*function)(union sigval), pthread_attr_t *attributes, int value)
{
    struct sigevent event;

    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = function;
    event.sigev_notify_attributes = attributes;
    event.sigev_value.sival_int = value;
    return mq_notify(mqd, &event);
}

static void describe(union sigval value)
{
    pthread_attr_t attributes;
    sigset_t set;
    int detached, blocked = 0;

    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getdetachstate(&attributes, &detached);
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    for (int i = 1; i <= 64; i++)
        blocked += i != 32 && i != 33 && sigismember(&set, i);
    say("thread: value %d, %s thread, own process %d, %s, %d signals blocked", value.sival_int,
        pthread_equal(pthread_self(), main_thread) ? "main" : "another", getpid() == stage->main_pid,
        detached == PTHREAD_CREATE_DETACHED ? "detached" : "joinable", blocked);
    pthread_attr_destroy(&attributes);
    bump(THREADS);
}

static void once(void)
{
    main_thread = pthread_self();
    queue = mq_new(4);
    say("mq_notify %s", result(ask(queue, describe, NULL, 17)));
    mq_put(queue, "one", 0);
    await(THREADS, 1);
    mq_snd(queue, "two", 0);
    mq_drain(queue);
    mq_snd(queue, "three", 0);
    mq_drain(queue);
    sleep_ms(20);
    say("threads: %d", count(THREADS));
    say("mq_notify %s", result(ask(queue, describe, NULL, 18)));
    mq_put(queue, "four", 0);
    await(THREADS, 2);
}

static void say_stack(union sigval value)
{
    pthread_attr_t attributes;
    size_t size;

    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstacksize(&attributes, &size);
    say("thread: stack of %zu KiB, value %p", size / 1024, value.sival_ptr);
    pthread_attr_destroy(&attributes);
    bump(THREADS);
}

static void attributes(void)
{
    pthread_attr_t attributes;
    mqd_t mqd = mq_new(4);

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    say("mq_notify %s", result(ask(mqd, say_stack, &attributes, 0)));
    pthread_attr_destroy(&attributes); /* what was said at the call holds */
    mq_put(mqd, "x", 0);
    await(THREADS, 1);
    mq_drain(mqd);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1024 * 1024);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    say("mq_notify %s", result(ask(mqd, say_stack, &attributes, 0)));
    mq_put(mqd, "x", 0);
    await(THREADS, 2);
    pthread_attr_destroy(&attributes);
}

/* UNP's mqnotifythread1: the thread registers again and empties the queue. */
static void again(union sigval value)
{
    char text[MQ_TEXT_MAX];
    ssize_t length;

    say("again %s", result(ask(queue, again, NULL, value.sival_int + 1)));
    while ((length = mq_receive(queue, text, sizeof text, NULL)) != -1)
        say("thread %d: \"%.*s\"", value.sival_int, (int)length, text);
    bump(THREADS);
}

static void registers_again(void)
{
    char text[16];

    mq_new(4);
    queue = mq_again(O_RDWR | O_NONBLOCK);
    say("mq_notify %s", result(ask(queue, again, NULL, 1)));
    for (int i = 1; i <= 20; i++) {
        snprintf(text, sizeof text, "number %d", i);
        mq_put(queue, text, 0);
        await(THREADS, i);
    }
}

/* The message comes from another process, while this one sleeps in a call. */
static void sends(void *argument)
{
    while (!looks_asleep(stage->main_pid, stage->main_pid))
        usleep(500);
    mq_put(*(mqd_t *)argument, "from a child", 0);
}

static void wake_main(union sigval value)
{
    mqd_t other = mq_open(MQ_NAME2, O_WRONLY);

    (void)value;
    say("thread runs");
    mq_put(other, "from the thread", 0);
    mq_close(other);
}

static void while_asleep(void)
{
    mqd_t mqd = mq_new(4), other = mq_fresh(MQ_NAME2, 1, O_RDWR, 0600);
    struct actor *actor;

    say("mq_notify %s", result(ask(mqd, wake_main, NULL, 0)));
    actor = spawn("sender", sends, &mqd);
    mq_rcv(other);
    finish(actor);
    mq_drain(mqd);
}

static void refused(void)
{
    mqd_t mqd = mq_new(4), other = mq_again(O_RDWR);
    struct sigevent event;

    say("bad descriptor %s", result(ask((mqd_t)-1, describe, NULL, 0)));
    say("first %s", result(ask(mqd, describe, NULL, 0)));
    say("second %s", result(ask(other, describe, NULL, 0)));
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR1;
    say("by signal %s", result(mq_notify(other, &event)));
    say("NULL %s", result(mq_notify(other, NULL)));
    mq_snd(mqd, "to nobody", 0);
    sleep_ms(20);
    say("threads: %d", count(THREADS));
    mq_drain(mqd);
    main_thread = pthread_self();
    say("again %s", result(ask(mqd, describe, NULL, 3)));
    mq_put(mqd, "x", 0);
    await(THREADS, 1);
}

static void closed(void)
{
    mqd_t mqd = mq_new(4), other = mq_again(O_RDWR);

    say("mq_notify %s", result(ask(mqd, describe, NULL, 0)));
    mq_close(mqd);
    mq_snd(other, "to nobody", 0);
    sleep_ms(20);
    say("threads: %d", count(THREADS));
    say("mq_notify %s", result(ask(other, describe, NULL, 0)));
}

/* The registrant dies; its child, which never registered, does not hear of the message. */
static void registers(void *argument)
{
    say("mq_notify %s", result(ask(*(mqd_t *)argument, describe, NULL, 0)));
    arrive();
    for (;;)
        pause();
}

static void killed(void)
{
    mqd_t mqd = mq_new(4);
    struct actor *actor = spawn("registrant", registers, &mqd);

    wait_blocked(actor);
    kill_to_zombie(actor);
    mq_snd(mqd, "to nobody", 0);
    mq_drain(mqd);
    main_thread = pthread_self();
    say("mq_notify %s", result(ask(mqd, describe, NULL, 5)));
    mq_put(mqd, "x", 0);
    await(THREADS, 1);
    finish(actor);
}

/* main returns while a registration stands: nothing hangs. */
static void leaves(void *argument)
{
    ask(*(mqd_t *)argument, describe, NULL, 0);
    self_actor = NULL;
    exit(0);
}

static void exit_with_registration(void)
{
    mqd_t mqd = mq_new(4);

    finish(spawn("registrant", leaves, &mqd));
    say("mq_notify %s", result(ask(mqd, describe, NULL, 0)));
}

/*
 * A child registers its own, then its parent, who had not before: glibc shares what it has set up for a
 * registration with the children of a later fork, who then take each other's notifications.
 */
static void child_registers(void *argument)
{
    mqd_t other = mq_fresh(MQ_NAME2, 1, O_RDWR, 0600);

    (void)argument;
    say("mq_notify %s", result(ask(other, describe, NULL, 2)));
    mq_put(other, "x", 0);
    await(THREADS, 1);
}

static void in_child_and_parent(void)
{
    mqd_t mqd = mq_new(4);

    main_thread = pthread_self();
    finish(spawn("child", child_registers, NULL));
    say("mq_notify %s", result(ask(mqd, describe, NULL, 1)));
    mq_put(mqd, "x", 0);
    await(THREADS, 2);
}

/* Two queues, two registrations, both told. */
static void add_up(union sigval value)
{
    __atomic_add_fetch(&stage->counter[DONE], value.sival_int, __ATOMIC_SEQ_CST);
    bump(THREADS);
}

static void two_queues(void)
{
    mqd_t mqd = mq_new(4), other = mq_fresh(MQ_NAME2, 4, O_RDWR, 0600);

    say("mq_notify %s", result(ask(mqd, add_up, NULL, 100)));
    say("mq_notify %s", result(ask(other, add_up, NULL, 3)));
    mq_put(other, "x", 0);
    mq_put(mqd, "x", 0);
    await(THREADS, 2);
    say("sum %d", count(DONE));
}

SCENES(SCENE(once), SCENE(attributes), SCENE(registers_again), SCENE(while_asleep), SCENE(refused), SCENE(closed),
       SCENE(killed), SCENE(exit_with_registration), SCENE(in_child_and_parent), SCENE(two_queues))
