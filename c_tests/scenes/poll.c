/* poll, ppoll, select, pselect, epoll on message queue descriptors: what they say of each state. */
#include "scene_poll.h"

/* From empty to full and back, one message at a time. */
static void states(int maxmsg)
{
    mqd_t mqd = mq_new(maxmsg);

    say_ready(mqd);
    for (int i = 0; i < maxmsg; i++) {
        mq_snd(mqd, "x", i);
        say_ready(mqd);
    }
    for (int i = 0; i < maxmsg; i++) {
        mq_rcv(mqd);
        say_ready(mqd);
    }
    mq_snd(mqd, "again", 0);
    say_ready(mqd);
}

/* The first look comes when the queue already holds something. */
static void late_look(int maxmsg)
{
    for (int held = 0; held <= maxmsg; held++) {
        mqd_t mqd = mq_new(maxmsg);
        for (int i = 0; i < held; i++)
            mq_put(mqd, "x", 0);
        say("%d of %d", held, maxmsg);
        say_ready(mqd);
        if (held < maxmsg) {
            mq_put(mqd, "x", 0);
            say_ready(mqd);
        }
        if (held > 0) {
            mq_rcv(mqd);
            say_ready(mqd);
        }
        mq_close(mqd);
    }
}

/* The queue was filled and emptied without anybody looking. */
static void long_life_before(void)
{
    mqd_t mqd = mq_new(3);

    for (int i = 0; i < 10; i++) {
        mq_fill(mqd, 0);
        for (int k = 0; k < 3; k++)
            mq_receive(mqd, (char[MQ_TEXT_MAX]){0}, MQ_TEXT_MAX, NULL);
    }
    say_ready(mqd);
    mq_fill(mqd, 0);
    say_ready(mqd);
}

/* Read-only and write-only descriptors. */
static void access_modes(void)
{
    mqd_t both = mq_new(1), reader = mq_again(O_RDONLY), writer = mq_again(O_WRONLY);

    for (int i = 0; i < 2; i++) {
        say_ready(both);
        say_ready(reader);
        say_ready(writer);
        if (i == 0)
            mq_put(writer, "x", 0);
    }
}

static void opened_twice(void)
{
    mqd_t first = mq_new(2), second = mq_again(O_RDWR);

    say_ready(first);
    mq_put(second, "x", 0);
    say_ready(first);
    say_ready(second);
    mq_put(first, "x", 0);
    say_ready(first);
    say_ready(second);
    mq_close(first);
    say_ready(second);
    mq_rcv(second);
    say_ready(second);
}

static void duplicated(void)
{
    mqd_t mqd = mq_new(1);
    int other = dup(mqd);

    say_ready(other);
    mq_put(mqd, "x", 0);
    say_ready(other);
    mq_close(mqd);
    say_ready(other);
    mq_rcv(other);
    say_ready(other);
}

static void unlinked(void)
{
    mqd_t mqd = mq_new(1);

    mq_unlink(MQ_NAME);
    say_ready(mqd);
    mq_put(mqd, "x", 0);
    say_ready(mqd);
}

/* Unlinked before anybody looked, open in two processes. */
static void looks_after_unlink(void *argument)
{
    say_ready(*(mqd_t *)argument);
    mq_rcv(*(mqd_t *)argument);
    say_ready(*(mqd_t *)argument);
}

static void unlinked_and_shared(void)
{
    mqd_t mqd = mq_new(2);

    mq_unlink(MQ_NAME);
    mq_put(mqd, "x", 0);
    finish(spawn("child", looks_after_unlink, &mqd));
    say_ready(mqd);
    mq_put(mqd, "x", 0);
    mq_put(mqd, "x", 0);
    finish(spawn("child", looks_after_unlink, &mqd));
    say_ready(mqd);
}

/* ---- other processes ---- */

static void opens_and_looks(void *argument)
{
    mqd_t mqd = mq_again(O_RDWR);

    (void)argument;
    say_ready(mqd);
    mq_put(mqd, "child's", 0);
    say_ready(mqd);
}

static void opened_elsewhere(void)
{
    mqd_t mqd = mq_new(2);

    mq_put(mqd, "parent's", 0);
    finish(spawn("child", opens_and_looks, NULL));
    say_ready(mqd);
    mq_rcv(mqd);
    mq_rcv(mqd);
    finish(spawn("child", opens_and_looks, NULL));
    say_ready(mqd);
}

static void opens_and_sends(void *argument)
{
    mqd_t mqd = mq_again(O_WRONLY);

    (void)argument;
    mq_put(mqd, "child's", 0);
    mq_close(mqd);
}

static void opens_and_receives(void *argument)
{
    mqd_t mqd = mq_again(O_RDONLY);

    (void)argument;
    mq_rcv(mqd);
}

/* The parent looks first; what others do who never look shows all the same. */
static void others_never_look(void)
{
    mqd_t mqd = mq_new(2);

    say_ready(mqd);
    for (int i = 0; i < 2; i++) {
        finish(spawn("child", opens_and_sends, NULL));
        say_ready(mqd);
    }
    for (int i = 0; i < 2; i++) {
        finish(spawn("child", opens_and_receives, NULL));
        say_ready(mqd);
    }
}

static void sends_inherited(void *argument) { mq_put(*(mqd_t *)argument, "x", 0); }
static void looks_inherited(void *argument) { say_ready(*(mqd_t *)argument); }

static void inherited(void)
{
    mqd_t mqd = mq_new(2);

    finish(spawn("child", looks_inherited, &mqd));
    finish(spawn("child", sends_inherited, &mqd));
    finish(spawn("child", looks_inherited, &mqd));
    say_ready(mqd);
    finish(spawn("child", sends_inherited, &mqd));
    say_ready(mqd);
    finish(spawn("child", looks_inherited, &mqd));
    mq_rcv(mqd);
    finish(spawn("child", looks_inherited, &mqd));
}

static void other_user(void *argument)
{
    mqd_t mqd;

    become(1000);
    mqd = mq_again(*(int *)argument);
    say_ready(mqd);
    if (*(int *)argument != O_RDONLY)
        mq_put(mqd, "x", 0);
    say_ready(mqd);
}

static void between_users(void)
{
    static const int modes[] = {O_RDWR, O_RDONLY, O_WRONLY};

    if (!can_switch_uid())
        return;
    umask(0);
    for (size_t i = 0; i < LENGTH(modes); i++) {
        int mode = modes[i];
        mqd_t mqd = mq_fresh(MQ_NAME, 4, O_RDWR, mode == O_RDONLY ? 0604 : mode == O_WRONLY ? 0602 : 0606);
        finish(spawn("uid 1000", other_user, &mode));
        say_ready(mqd);
        mq_put(mqd, "x", 0);
        say_ready(mqd);
        finish(spawn("uid 1000", other_user, &mode));
        say_ready(mqd);
        mq_close(mqd);
    }
}

/* ---- the calls' own rules ---- */

static void mixed_set(void)
{
    mqd_t first = mq_new(1), second = mq_fresh(MQ_NAME2, 1, O_RDWR, 0600);
    int pipes[2], ready;
    struct pollfd entries[5];

    need(pipe(pipes) == 0, "pipe");
    mq_put(second, "x", 0);
    entries[0] = (struct pollfd){first, POLLIN, 0};
    entries[1] = (struct pollfd){pipes[0], POLLIN, 0};
    entries[2] = (struct pollfd){second, POLLIN | POLLOUT, 0};
    entries[3] = (struct pollfd){-1, POLLIN, 0};
    entries[4] = (struct pollfd){pipes[1], POLLOUT, 0};
    ready = poll(entries, 5, 0);
    say("ready %d: %s, %s, %s, %s, %s", ready, event_names(entries[0].revents), event_names(entries[1].revents),
        event_names(entries[2].revents), event_names(entries[3].revents), event_names(entries[4].revents));
    entries[0].events = POLLOUT;
    entries[2].events = POLLOUT;
    ready = poll(entries, 3, 0);
    say("ready %d: %s, %s", ready, event_names(entries[0].revents), event_names(entries[2].revents));
    entries[2].events = 0;
    ready = poll(entries + 2, 1, 0);
    say("ready %d: %s", ready, event_names(entries[2].revents));
}

static void closed(void)
{
    mqd_t mqd = mq_new(1);

    say_poll(mqd);
    mq_close(mqd);
    say_poll(mqd);
}

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 2000; fd++)
        count += fcntl(fd, F_GETFD) != -1;
    return count;
}

/* What the library keeps open for a descriptor that is polled goes with it, whether others are polled or not. */
static void closed_without_trace(int others)
{
    mqd_t mqd = mq_new(1);
    int before;

    if (others) {
        say_ready(mqd);
        mq_put(mqd, "x", 0);
        mq_rcv(mqd);
    }
    before = open_descriptors();
    for (int i = 0; i < 3; i++) {
        mqd_t looked_at = mq_again(O_RDWR);
        say_ready(looked_at);
        mq_put(looked_at, "x", 0);
        say_ready(looked_at);
        mq_rcv(mqd);
        say_ready(looked_at);
        mq_close(looked_at);
        say("%d more than before", open_descriptors() - before);
    }
}

static void times_out(void)
{
    mqd_t mqd = mq_new(1);
    struct pollfd entry = {mqd, POLLIN, 0};
    struct timespec span = {0, 20000000};
    fd_set set;

    say("poll %s", result(poll(&entry, 1, 20)));
    say("ppoll %s", result(ppoll(&entry, 1, &span, NULL)));
    FD_ZERO(&set);
    FD_SET(mqd, &set);
    say("pselect %s", result(pselect(mqd + 1, &set, NULL, NULL, &span, NULL)));
    mq_put(mqd, "x", 0);
    entry.events = POLLOUT;
    say("poll %s", result(poll(&entry, 1, 20)));
}

static void epoll_level(void)
{
    mqd_t mqd = mq_new(2);
    struct epoll_event event = {EPOLLIN, {0}};
    int set = epoll_create1(0);

    need(epoll_ctl(set, EPOLL_CTL_ADD, mqd, &event) == 0, "epoll_ctl");
    say("again: %s", result(epoll_ctl(set, EPOLL_CTL_ADD, mqd, &event)));
    say_epoll(set, "empty");
    mq_put(mqd, "x", 0);
    for (int i = 0; i < 3; i++)
        say_epoll(set, "one");
    mq_rcv(mqd);
    say_epoll(set, "empty");
    event.events = EPOLLIN | EPOLLOUT;
    need(epoll_ctl(set, EPOLL_CTL_MOD, mqd, &event) == 0, "epoll_ctl");
    say_epoll(set, "empty");
    mq_fill(mqd, 0);
    say_epoll(set, "full");
    need(epoll_ctl(set, EPOLL_CTL_DEL, mqd, &event) == 0, "epoll_ctl");
    say_epoll(set, "removed");
}

static void epoll_oneshot(void)
{
    mqd_t mqd = mq_new(2);
    struct epoll_event event = {EPOLLIN | EPOLLONESHOT, {0}};
    int set = epoll_create1(0);

    need(epoll_ctl(set, EPOLL_CTL_ADD, mqd, &event) == 0, "epoll_ctl");
    mq_put(mqd, "x", 0);
    say_epoll(set, "first");
    say_epoll(set, "second");
    mq_put(mqd, "x", 0);
    say_epoll(set, "third");
    event.events = EPOLLIN | EPOLLONESHOT;
    need(epoll_ctl(set, EPOLL_CTL_MOD, mqd, &event) == 0, "epoll_ctl");
    say_epoll(set, "set anew");
}

/* Edge-triggered, as far as it makes sense: news after the queue had been emptied. */
static void epoll_edge(void)
{
    mqd_t mqd = mq_new(2);
    struct epoll_event event = {EPOLLIN | EPOLLET, {0}};
    int set = epoll_create1(0);

    need(epoll_ctl(set, EPOLL_CTL_ADD, mqd, &event) == 0, "epoll_ctl");
    for (int i = 0; i < 3; i++) {
        say_epoll(set, "empty");
        mq_put(mqd, "x", 0);
        say_epoll(set, "news");
        say_epoll(set, "no more news");
        mq_rcv(mqd);
    }
}

/* A message taken over from a sleeping sender keeps a queue of one full. */
static void sleeping_sender(void *argument)
{
    arrive();
    mq_snd(*(mqd_t *)argument, "late", 0);
}

static void taken_over(void)
{
    mqd_t mqd = mq_new(1);
    struct actor *actor;

    mq_fill(mqd, 0);
    say_ready(mqd);
    wait_blocked(actor = spawn("sender", sleeping_sender, &mqd));
    say_ready(mqd);
    mq_rcv(mqd);
    say_ready(mqd);
    finish(actor);
    mq_rcv(mqd);
    say_ready(mqd);
}

static void sleeping_receiver(void *argument)
{
    arrive();
    mq_rcv(*(mqd_t *)argument);
}

static void handed_over(void)
{
    mqd_t mqd = mq_new(1);
    struct actor *actor = spawn("receiver", sleeping_receiver, &mqd);

    wait_blocked(actor);
    say_ready(mqd);
    mq_put(mqd, "x", 0);
    say_ready(mqd);
    finish(actor);
    say_ready(mqd);
}

SCENES(SCENE_WITH(states, 1), SCENE_WITH(states, 2), SCENE_WITH(states, 3), SCENE_WITH(states, 10),
       SCENE_WITH(late_look, 1), SCENE_WITH(late_look, 2), SCENE_WITH(late_look, 10), SCENE(long_life_before),
       SCENE(access_modes), SCENE(opened_twice), SCENE(duplicated), SCENE(unlinked), SCENE(unlinked_and_shared),
       SCENE(opened_elsewhere), SCENE(others_never_look), SCENE(inherited), SCENE(between_users), SCENE(mixed_set),
       SCENE(closed), SCENE_WITH(closed_without_trace, 0), SCENE_WITH(closed_without_trace, 1), SCENE(times_out),
       SCENE(epoll_level), SCENE(epoll_oneshot), SCENE(epoll_edge), SCENE(taken_over), SCENE(handed_over))
