/* Absolute CLOCK_REALTIME timeouts of the mq calls: when they count, and what is checked before them. */
#include "scene_mq.h"

static const struct timespec past = {1, 0}, epoch = {0, 0};

static long elapsed_ms(const struct timespec *since)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

/* Only a minimum is checked: the machine may be busy. */
static void say_waited(const struct timespec *since, long at_least)
{
    say("waited %s", elapsed_ms(since) >= at_least ? "long enough" : "too short");
}

static void expires(void)
{
    static const long spans[] = {0, 1, 20, 60, 150};
    mqd_t mqd = mq_new(1);

    for (size_t i = 0; i < LENGTH(spans); i++) {
        struct timespec start, deadline;
        clock_gettime(CLOCK_MONOTONIC, &start);
        deadline = in_ms(spans[i]);
        mq_rcv_until(mqd, &deadline);
        say_waited(&start, spans[i] - 1);
    }
    mq_fill(mqd, 0);
    for (size_t i = 0; i < LENGTH(spans); i++) {
        struct timespec start, deadline;
        clock_gettime(CLOCK_MONOTONIC, &start);
        deadline = in_ms(spans[i]);
        mq_snd_until(mqd, "late", 0, &deadline);
        say_waited(&start, spans[i] - 1);
    }
    mq_state(mqd);
}

static void in_the_past(void)
{
    mqd_t mqd = mq_new(2);

    mq_rcv_until(mqd, &past);
    mq_rcv_until(mqd, &epoch);
    mq_snd_until(mqd, "one", 1, &past);
    mq_snd_until(mqd, "two", 2, &epoch);
    mq_snd_until(mqd, "three", 3, &past);
    mq_snd_until(mqd, "three", 3, &epoch);
    mq_rcv_until(mqd, &past);
    mq_rcv_until(mqd, &epoch);
    mq_rcv_until(mqd, &past);
}

/* What the kernel makes of times that are none, on a queue that is ready and one that is not. */
static void invalid_times(void)
{
    static const struct timespec times[] = {{1, -1},           {1, 1000000000},      {1, 999999999},
                                            {-1, 0},           {-1, -1},             {0, 1000000001},
                                            {9999999999, -1},  {9999999999, 1L << 62}, {1, -(1L << 62)}};
    mqd_t mqd = mq_new(1);

    for (size_t i = 0; i < LENGTH(times); i++) {
        say("%ld s %ld ns", (long)times[i].tv_sec, times[i].tv_nsec);
        mq_rcv_until(mqd, &times[i]);
        mq_snd_until(mqd, "ready", 0, &times[i]);
        mq_fill(mqd, 0);
        if (times[i].tv_nsec < 0 || times[i].tv_nsec > 999999999 || times[i].tv_sec < 5)
            mq_snd_until(mqd, "full", 0, &times[i]);
        mq_rcv_until(mqd, &times[i]);
        mq_drain(mqd);
    }
}

/* With O_NONBLOCK the time does not matter, as long as it is one. */
static void nonblocking(void)
{
    struct timespec far = in_ms(3600 * 1000L), bad = {1, -5};
    mqd_t mqd = mq_new(1);

    mq_nonblock(mqd, 1);
    mq_rcv_until(mqd, &far);
    mq_rcv_until(mqd, &past);
    mq_rcv_until(mqd, &bad);
    mq_rcv_until(mqd, NULL);
    mq_fill(mqd, 0);
    mq_snd_until(mqd, "x", 0, &far);
    mq_snd_until(mqd, "x", 0, &past);
    mq_snd_until(mqd, "x", 0, &bad);
    mq_snd_until(mqd, "x", 0, NULL);
}

/* Which error wins when several hold. */
static void error_order(void)
{
    struct timespec bad = {1, -5};
    mqd_t both = mq_new(1), reader = mq_again(O_RDONLY), writer = mq_again(O_WRONLY), none = (mqd_t)-1;
    char text[MQ_TEXT_MAX + 1] = "";

    say("bad descriptor, bad time %s", result(mq_timedreceive(none, text, sizeof text, NULL, &bad)));
    say("bad descriptor, past %s", result(mq_timedreceive(none, text, sizeof text, NULL, &past)));
    say("write-only, bad time %s", result(mq_timedreceive(writer, text, sizeof text, NULL, &bad)));
    say("write-only, past %s", result(mq_timedreceive(writer, text, sizeof text, NULL, &past)));
    say("short buffer, past %s", result(mq_timedreceive(both, text, 1, NULL, &past)));
    say("short buffer, bad time %s", result(mq_timedreceive(both, text, 1, NULL, &bad)));
    say("read-only, past %s", result(mq_timedsend(reader, text, 1, 0, &past)));
    say("read-only, bad time %s", result(mq_timedsend(reader, text, 1, 0, &bad)));
    say("read-only, too long %s", result(mq_timedsend(reader, text, MQ_TEXT_MAX + 1, 0, &past)));
    mq_fill(both, 0);
    say("too long, past %s", result(mq_timedsend(both, text, MQ_TEXT_MAX + 1, 0, &past)));
    say("priority, bad time %s", result(mq_timedsend(both, text, 1, 32768, &bad)));
    say("priority, past %s", result(mq_timedsend(both, text, 1, 32768, &past)));
    say("priority, bad descriptor %s", result(mq_timedsend(none, text, 1, 32768, &past)));
    say("priority, read-only %s", result(mq_timedsend(reader, text, 1, 32768, &past)));
    say("priority, too long %s", result(mq_timedsend(both, text, MQ_TEXT_MAX + 1, 32768, &past)));
    say("highest priority, past %s", result(mq_timedsend(both, text, 1, 32767, &past)));
}

static void waits_for_ever(void *argument)
{
    arrive();
    mq_rcv_until(*(mqd_t *)argument, NULL);
}

static void sends_for_ever(void *argument)
{
    arrive();
    mq_snd_until(*(mqd_t *)argument, "patient", 4, NULL);
}

static void no_time_at_all(void)
{
    mqd_t mqd = mq_new(1);
    struct actor *actor = spawn("receiver", waits_for_ever, &mqd);

    wait_blocked(actor);
    mq_snd(mqd, "hello", 5);
    finish(actor);
    mq_fill(mqd, 1);
    actor = spawn("sender", sends_for_ever, &mqd);
    wait_blocked(actor);
    mq_rcv(mqd);
    finish(actor);
    mq_drain(mqd);
}

/* Far times, up to what a time_t holds. */
static const long far_seconds[] = {3600, 1L << 33, 9223372036, 9223372037, (1L << 60), 9223372036854775807};

static void waits_until(void *argument)
{
    struct timespec deadline = {far_seconds[*(int *)argument], 999999999};
    mqd_t mqd = mq_again(O_RDWR);

    if (deadline.tv_sec == 3600)
        deadline = in_ms(3600 * 1000L);
    arrive();
    mq_rcv_until(mqd, &deadline);
}

static void far_away(void)
{
    mqd_t mqd = mq_new(1);

    for (int i = 0; i < (int)LENGTH(far_seconds); i++) {
        struct actor *actor = spawn("receiver", waits_until, &i);
        wait_blocked(actor);
        mq_snd(mqd, "hello", 5);
        finish(actor);
    }
}

/* A waiter whose time ran out has left the line: the message goes to the one behind, then to nobody. */
static void short_wait(void *argument)
{
    struct timespec deadline = in_ms(200);

    arrive();
    mq_rcv_until(*(mqd_t *)argument, &deadline);
}

static void expired_receiver_leaves(void)
{
    mqd_t mqd = mq_new(2);
    struct actor *brief = spawn("brief", short_wait, &mqd), *patient;

    wait_blocked(brief);
    patient = spawn("patient", waits_for_ever, &mqd);
    wait_blocked(patient);
    finish(brief);
    mq_snd(mqd, "first", 1);
    finish(patient);
    mq_snd(mqd, "second", 1);
    mq_state(mqd);
    mq_drain(mqd);
}

static void short_send(void *argument)
{
    struct timespec deadline = in_ms(200);

    arrive();
    mq_snd_until(*(mqd_t *)argument, "brief", 9, &deadline);
}

static void expired_sender_leaves(void)
{
    mqd_t mqd = mq_new(1);
    struct actor *brief, *patient;

    mq_fill(mqd, 1);
    wait_blocked(brief = spawn("brief", short_send, &mqd));
    wait_blocked(patient = spawn("patient", sends_for_ever, &mqd));
    finish(brief);
    mq_rcv(mqd);
    finish(patient);
    mq_state(mqd);
    mq_drain(mqd);
}

/* A restarted wait keeps its deadline. */
static void nothing(int number) { (void)number; }

static void interrupted_waiter(void *argument)
{
    struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_RESTART};
    struct timespec deadline = in_ms(120), start;

    sigaction(SIGUSR1, &action, NULL);
    clock_gettime(CLOCK_MONOTONIC, &start);
    arrive();
    mq_rcv_until(*(mqd_t *)argument, &deadline);
    say_waited(&start, 119);
}

static void restarts_keep_the_deadline(void)
{
    mqd_t mqd = mq_new(1);
    struct actor *actor = spawn("receiver", interrupted_waiter, &mqd);

    wait_blocked(actor);
    for (int i = 0; i < 20; i++) {
        kill(actor->pid, SIGUSR1);
        sleep_ms(10);
    }
    finish(actor);
}

SCENES(SCENE(expires), SCENE(in_the_past), SCENE(invalid_times), SCENE(nonblocking), SCENE(error_order),
       SCENE(no_time_at_all), SCENE(far_away), SCENE(expired_receiver_leaves), SCENE(expired_sender_leaves),
       SCENE(restarts_keep_the_deadline))
