/* Asleep in poll, ppoll, select, pselect or epoll_wait while others send and receive. */
#include "scene_poll.h"

enum { RETURNED, GO, DONE };
enum { POLL, PPOLL, SELECT, PSELECT, EPOLL };

#define FOR_POLLS(function)                                                                            \
    SCENE_WITH(function, POLL), SCENE_WITH(function, PPOLL), SCENE_WITH(function, SELECT),             \
        SCENE_WITH(function, PSELECT), SCENE_WITH(function, EPOLL)

struct part {
    mqd_t mqd;
    int how;
    int events;
    int opens; /* opens the queue itself instead of using the inherited descriptor */
};

static int epoll_forever(int file, int events, int *found)
{
    struct epoll_event event = {(unsigned)events, {0}};
    int set = epoll_create1(0), ready;

    need(epoll_ctl(set, EPOLL_CTL_ADD, file, &event) == 0, "epoll_ctl");
    arrive();
    ready = epoll_wait(set, &event, 1, -1);
    *found = ready > 0 ? (int)event.events : 0;
    close(set);
    return ready;
}

static int select_forever(int how, int file, int events, int *found)
{
    fd_set readable, writable;
    int ready;

    FD_ZERO(&readable);
    FD_ZERO(&writable);
    if (events & POLLIN)
        FD_SET(file, &readable);
    if (events & POLLOUT)
        FD_SET(file, &writable);
    arrive();
    ready = how == SELECT ? select(file + 1, &readable, &writable, NULL, NULL)
                          : pselect(file + 1, &readable, &writable, NULL, NULL, NULL);
    if (ready > 0)
        *found = (FD_ISSET(file, &readable) ? POLLIN : 0) | (FD_ISSET(file, &writable) ? POLLOUT : 0);
    return ready;
}

static void sleeper(void *argument)
{
    const struct part *part = argument;
    mqd_t mqd = part->opens ? mq_again(O_RDWR) : part->mqd;
    struct pollfd entry = {mqd, (short)part->events, 0};
    int found = 0, ready;

    if (part->how == EPOLL) {
        ready = epoll_forever(mqd, part->events, &found);
    } else if (part->how == SELECT || part->how == PSELECT) {
        ready = select_forever(part->how, mqd, part->events, &found);
    } else {
        arrive();
        ready = part->how == POLL ? poll(&entry, 1, -1) : ppoll(&entry, 1, NULL, NULL);
        found = ready > 0 ? entry.revents : 0;
    }
    say("%s, %s", result(ready), event_names(found));
    bump(RETURNED);
}

static struct actor *asleep(const char *name, struct part part)
{
    struct part *kept = malloc(sizeof part);
    struct actor *actor;

    *kept = part;
    wait_blocked(actor = spawn(name, sleeper, kept));
    return actor;
}

static void puts_one(void *argument) { mq_put(*(mqd_t *)argument, "x", 0); }
static void takes_one(void *argument) { mq_rcv(*(mqd_t *)argument); }

static void for_a_message(int how)
{
    mqd_t mqd = mq_new(2);
    struct actor *actor = asleep("inherited", (struct part){mqd, how, POLLIN, 0});

    mq_snd(mqd, "x", 0);
    finish(actor);
    mq_drain(mqd);
    actor = asleep("opened itself", (struct part){mqd, how, POLLIN, 1});
    finish(spawn("sender", puts_one, &mqd));
    finish(actor);
}

static void for_room(int how)
{
    mqd_t mqd = mq_new(2);
    struct actor *actor;

    mq_fill(mqd, 0);
    actor = asleep("inherited", (struct part){mqd, how, POLLOUT, 0});
    mq_rcv(mqd);
    finish(actor);
    mq_fill(mqd, 0);
    actor = asleep("opened itself", (struct part){mqd, how, POLLOUT, 1});
    finish(spawn("receiver", takes_one, &mqd));
    finish(actor);
}

static void several_sleepers(int how)
{
    static const char *const names[] = {"p1", "p2", "p3", "p4"};
    struct actor *actors[LENGTH(names)];
    mqd_t mqd = mq_new(1);

    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = asleep(names[i], (struct part){mqd, how, POLLIN, i % 2});
    mq_snd(mqd, "x", 0);
    for (size_t i = 0; i < LENGTH(names); i++)
        finish(actors[i]);
    for (size_t i = 0; i < LENGTH(names); i++)
        actors[i] = asleep(names[i], (struct part){mqd, how, POLLOUT, i % 2});
    mq_rcv(mqd);
    for (size_t i = 0; i < LENGTH(names); i++)
        finish(actors[i]);
}

/* A message for a sleeping receiver does not concern the one in poll. */
static void receives(void *argument)
{
    arrive();
    mq_rcv(*(mqd_t *)argument);
}

static void beside_a_receiver(int how)
{
    mqd_t mqd = mq_new(2);
    struct actor *receiver = spawn("receiver", receives, &mqd), *polls;

    wait_blocked(receiver);
    polls = asleep("poller", (struct part){mqd, how, POLLIN, 0});
    mq_snd(mqd, "handed over", 0);
    finish(receiver);
    wait_asleep(polls);
    say("returned: %d", count(RETURNED));
    mq_snd(mqd, "for the poller", 0);
    finish(polls);
}

/* Nor does room that a sleeping sender fills. */
static void sends(void *argument)
{
    arrive();
    mq_snd(*(mqd_t *)argument, "late", 0);
}

static void beside_a_sender(int how)
{
    mqd_t mqd = mq_new(1);
    struct actor *sender, *polls;

    mq_fill(mqd, 0);
    wait_blocked(sender = spawn("sender", sends, &mqd));
    polls = asleep("poller", (struct part){mqd, how, POLLOUT, 0});
    mq_rcv(mqd);
    finish(sender);
    wait_asleep(polls);
    say("returned: %d", count(RETURNED));
    mq_rcv(mqd);
    finish(polls);
}

/* The opposite event is no reason to wake. */
static void the_other_event(int how)
{
    mqd_t mqd = mq_new(1);
    struct actor *polls;

    mq_fill(mqd, 0);
    polls = asleep("poller", (struct part){mqd, how, POLLOUT, 0});
    mq_nonblock(mqd, 1);
    mq_snd(mqd, "no room", 0);
    wait_asleep(polls);
    say("returned: %d", count(RETURNED));
    mq_rcv(mqd);
    finish(polls);
    mq_drain(mqd);
    polls = asleep("poller", (struct part){mqd, how, POLLIN, 0});
    mq_nonblock(mqd, 1);
    mq_rcv(mqd);
    wait_asleep(polls);
    say("returned: %d", count(RETURNED) - 1);
    mq_snd(mqd, "x", 0);
    finish(polls);
}

/* ---- others ---- */

static void nothing(int number) { (void)number; }

static void interruptible(void *argument)
{
    struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_RESTART};

    sigaction(SIGUSR1, &action, NULL);
    sleeper(argument);
}

static void interrupted(int how)
{
    mqd_t mqd = mq_new(1);
    struct part part = {mqd, how, POLLIN, 0};
    struct actor *actor = spawn("poller", interruptible, &part);

    wait_blocked(actor);
    kill(actor->pid, SIGUSR1);
    finish(actor);
}

/* Who makes the event is another user. */
static void between_users(int how)
{
    mqd_t mqd;
    struct actor *actor;

    if (!can_switch_uid())
        return;
    umask(0);
    mqd = mq_fresh(MQ_NAME, 2, O_RDWR, 0666);
    actor = asleep("root", (struct part){mqd, how, POLLIN, 0});
    if (fork() == 0) {
        become(1000);
        _exit(mq_put(mq_again(O_WRONLY), "x", 0));
    }
    finish(actor);
    mq_fill(mqd, 0);
    actor = asleep("root", (struct part){mqd, how, POLLOUT, 0});
    if (fork() == 0) {
        become(1001);
        _exit(mq_receive(mq_again(O_RDONLY), (char[MQ_TEXT_MAX]){0}, MQ_TEXT_MAX, NULL) == -1);
    }
    finish(actor);
}

/* One descriptor polled by two threads of one process. */
static void two_threads(int how)
{
    mqd_t mqd = mq_new(1);
    struct part part = {mqd, how, POLLIN, 0};
    struct actor *first = spawn_thread("first", sleeper, &part), *second = spawn_thread("second", sleeper, &part);

    wait_blocked(first);
    wait_blocked(second);
    mq_snd(mqd, "x", 0);
    finish(first);
    finish(second);
}

/* A set of pipes and queues; each event wakes. */
static void mixed_sleeper(void *argument)
{
    int *files = argument;
    struct pollfd entries[3];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++)
            entries[i] = (struct pollfd){files[i], POLLIN, 0};
        arrive();
        say("ready %d", poll(entries, 3, -1));
        say("%s, %s, %s", event_names(entries[0].revents), event_names(entries[1].revents),
            event_names(entries[2].revents));
        for (int i = 0; i < 3; i++) {
            char text[MQ_TEXT_MAX];
            if (entries[i].revents == 0)
                continue;
            if (i == 1)
                need(read(files[i], text, 1) == 1, "read");
            else
                need(mq_receive(files[i], text, sizeof text, NULL) == 1, "mq_receive");
        }
    }
}

static void mixed_set(void)
{
    mqd_t first = mq_new(1), second = mq_fresh(MQ_NAME2, 2, O_RDWR, 0600);
    int pipes[2], files[3];
    struct actor *actor;

    need(pipe(pipes) == 0, "pipe");
    files[0] = first;
    files[1] = pipes[0];
    files[2] = second;
    actor = spawn("poller", mixed_sleeper, files);
    wait_blocked(actor);
    mq_put(second, "x", 0);
    wait_blocked(actor);
    need(write(pipes[1], "x", 1) == 1, "write");
    wait_blocked(actor);
    mq_put(first, "x", 0);
    finish(actor);
}

/* ---- storms ---- */

enum { STORM_MESSAGES = 4000 };

static int wait_for(mqd_t mqd, int how, short events)
{
    struct pollfd entry = {mqd, events, 0};
    fd_set set;

    if (how == POLL)
        return poll(&entry, 1, -1);
    FD_ZERO(&set);
    FD_SET(mqd, &set);
    return events == POLLIN ? select(mqd + 1, &set, NULL, NULL, NULL) : select(mqd + 1, NULL, &set, NULL, NULL);
}

static void storm_sender(void *argument)
{
    mqd_t mqd = mq_again(O_WRONLY | O_NONBLOCK);
    int how = *(int *)argument;

    for (int i = 0; i < STORM_MESSAGES;) {
        if (mq_put(mqd, "x", i % 7) == 0)
            i++;
        else
            wait_for(mqd, how, POLLOUT);
    }
}

/* Nobody blocks but in poll: a lost wake-up would hang the scene. */
static void storm(int how)
{
    mqd_t mqd = mq_new(3), mine = mq_again(O_RDONLY | O_NONBLOCK);
    struct actor *first, *second;
    char text[MQ_TEXT_MAX];
    int received = 0;

    first = spawn("first", storm_sender, &how);
    second = spawn("second", storm_sender, &how);
    while (received < 2 * STORM_MESSAGES) {
        if (mq_receive(mine, text, sizeof text, NULL) != -1)
            received++;
        else
            wait_for(mine, how, POLLIN);
    }
    say("received %d", received);
    finish(first);
    finish(second);
    say_ready(mqd);
}

/* After SIGKILLs at any moment poll still agrees with what is in the queue. */
static void storm_blocking_sender(void *argument)
{
    for (;;)
        mq_put(*(mqd_t *)argument, "x", 0);
}

static void storm_blocking_receiver(void *argument)
{
    char text[MQ_TEXT_MAX];

    for (;;)
        mq_receive(*(mqd_t *)argument, text, sizeof text, NULL);
}

static void after_kills(void)
{
    mqd_t mqd = mq_new(3);
    int wrong = 0;

    say_ready(mqd);
    for (int i = 0; i < 80; i++) {
        int length, expected;
        stage->actors = 0;
        memset(stage->actor, 0, 2 * sizeof stage->actor[0]);
        struct actor *sender = spawn("sender", storm_blocking_sender, &mqd);
        struct actor *receiver = spawn("receiver", storm_blocking_receiver, &mqd);
        usleep(300 + i * 53 % 1500);
        kill(i % 2 ? sender->pid : receiver->pid, SIGKILL);
        usleep(i * 31 % 700);
        kill(sender->pid, SIGKILL);
        kill(receiver->pid, SIGKILL);
        waitpid(sender->pid, NULL, 0);
        waitpid(receiver->pid, NULL, 0);
        length = mq_length(mqd);
        expected = (length > 0 ? POLLIN | POLLRDNORM : 0) | (length < 3 ? POLLOUT | POLLWRNORM : 0);
        wrong += events_of(mqd) != expected;
    }
    say("%d wrong", wrong);
}

SCENES(FOR_POLLS(for_a_message), FOR_POLLS(for_room), FOR_POLLS(several_sleepers), FOR_POLLS(beside_a_receiver),
       FOR_POLLS(beside_a_sender), FOR_POLLS(the_other_event), FOR_POLLS(interrupted), FOR_POLLS(between_users),
       FOR_POLLS(two_threads), SCENE(mixed_set), SCENE_WITH(storm, POLL), SCENE_WITH(storm, SELECT),
       SCENE(after_kills))
