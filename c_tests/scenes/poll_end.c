/* What polls leave behind that have ended, one way or another: the next ones are told what they should be. */
#include "scene_poll.h"
#include <setjmp.h>

enum { RETURNED, MANY = 12 };

static void polls_for_a_message(void *argument)
{
    struct pollfd entry = {*(mqd_t *)argument, POLLIN, 0};

    arrive();
    say("%s", result(poll(&entry, 1, -1)));
    bump(RETURNED);
}

static void polls_and_looks(void *argument)
{
    for (int i = 0; i < 5; i++)
        say_poll(*(mqd_t *)argument);
}

/* One is asleep in poll while others begin and end. */
static void one_of_several(void)
{
    mqd_t mqd = mq_new(1);
    struct actor *sleeper = spawn("sleeper", polls_for_a_message, &mqd);

    wait_blocked(sleeper);
    finish(spawn("child", polls_and_looks, &mqd));
    polls_and_looks(&mqd);
    wait_asleep(sleeper);
    say("returned: %d", count(RETURNED));
    mq_snd(mqd, "x", 0);
    finish(sleeper);
}

/* Changes that nobody was polling for are no secret to the next who does. */
static void between_two(void)
{
    mqd_t mqd = mq_new(2);
    struct actor *sleeper;

    say_poll(mqd);
    mq_fill(mqd, 0);
    say_poll(mqd);
    mq_drain(mqd);
    say_poll(mqd);
    mq_fill(mqd, 0);
    mq_drain(mqd);
    sleeper = spawn("sleeper", polls_for_a_message, &mqd);
    wait_blocked(sleeper);
    mq_fill(mqd, 0);
    finish(sleeper);
    say_poll(mqd);
}

static sigjmp_buf out;

static void jumps(int number)
{
    (void)number;
    siglongjmp(out, 1);
}

static void jumps_out_of_poll(void *argument)
{
    struct sigaction action = {.sa_handler = jumps};
    struct pollfd entry = {*(mqd_t *)argument, POLLIN, 0};

    sigaction(SIGALRM, &action, NULL);
    if (sigsetjmp(out, 1) == 0) {
        ualarm(20000, 0);
        poll(&entry, 1, -1);
        say("poll has returned");
    }
    say_poll(entry.fd);
    mq_put(entry.fd, "x", 0);
    say_poll(entry.fd);
}

static void *polls_for_ever(void *argument)
{
    struct pollfd entry = {*(mqd_t *)argument, POLLIN, 0};

    poll(&entry, 1, -1);
    return NULL;
}

static void cancelled_in_poll(void *argument)
{
    pthread_t thread;
    struct pollfd entry = {*(mqd_t *)argument, POLLIN, 0};
    void *end;

    need(pthread_create(&thread, NULL, polls_for_ever, argument) == 0, "pthread_create");
    usleep(20000);
    pthread_cancel(thread);
    pthread_join(thread, &end);
    say("%s", end == PTHREAD_CANCELED ? "cancelled" : "returned");
    mq_put(entry.fd, "x", 0);
    say_poll(entry.fd);
}

static void killed_in_poll(void *argument)
{
    struct pollfd entry = {*(mqd_t *)argument, POLLIN, 0};

    if (fork() == 0) {
        ualarm(20000, 0);
        poll(&entry, 1, -1);
        _exit(1);
    }
    wait(NULL);
    say_poll(entry.fd);
    mq_put(entry.fd, "x", 0);
    say_poll(entry.fd);
}

/* Who ends in poll, by a jump out of a handler, by cancellation or by a signal, disturbs nobody who comes later. */
static void cut_short(void (*by)(void *))
{
    mqd_t mqd = mq_new(2);
    struct actor *sleeper;

    by(&mqd);
    mq_drain(mqd);
    say_poll(mqd);
    sleeper = spawn("sleeper", polls_for_a_message, &mqd);
    wait_blocked(sleeper);
    mq_put(mqd, "x", 0);
    finish(sleeper);
    mq_close(mqd);
    mqd = mq_again(O_RDWR);
    say_poll(mqd);
    mq_drain(mqd);
    say_poll(mqd);
}

static void jumped_out_of(void) { cut_short(jumps_out_of_poll); }
static void cancelled(void) { cut_short(cancelled_in_poll); }
static void killed(void) { cut_short(killed_in_poll); }

/* More queues in one poll than most programs have. */
static void polls_many(void *argument)
{
    struct pollfd entries[MANY];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++)
            entries[i] = (struct pollfd){((mqd_t *)argument)[i], POLLIN, 0};
        arrive();
        say("%s", result(poll(entries, MANY, -1)));
        for (int i = 0; i < MANY; i++)
            if (entries[i].revents != 0) {
                say("%d: %s", i, event_names(entries[i].revents));
                mq_rcv(entries[i].fd);
            }
    }
}

static void many(void)
{
    mqd_t mqds[MANY];
    struct actor *sleeper;

    for (int i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof name, "/poll_end.%d", i);
        mqds[i] = mq_fresh(name, 2, O_RDWR, 0600);
    }
    sleeper = spawn("sleeper", polls_many, mqds);
    for (int round = 0; round < 3; round++) {
        wait_blocked(sleeper);
        mq_put(mqds[(round * 5 + MANY - 1) % MANY], "x", 0);
    }
    finish(sleeper);
}

static void say_read(int file)
{
    char text[1024];

    lseek(file, 0, SEEK_SET);
    say("read %s", read(file, text, sizeof text) > 0 ? "something" : "nothing");
}

/* To read(2) a descriptor is another thing than to receive, but it does not wait for a message. */
static void read_after(void)
{
    mqd_t mqd = mq_new(2);

    say_poll(mqd);
    say_read(mqd);
    say_poll(mqd);
    mq_fill(mqd, 0);
    say_poll(mqd);
    say_read(mqd);
    mq_drain(mqd);
    say_poll(mqd);
}

SCENES(SCENE(one_of_several), SCENE(between_two), SCENE(jumped_out_of), SCENE(cancelled), SCENE(killed), SCENE(many),
       SCENE(read_after))
