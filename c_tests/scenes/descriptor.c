/* An mqd_t is a file descriptor: its flags, its copies, its number, and what a fork or an exec leaves of it. */
#include "scene_mq.h"
#include "scene_pass.h"
#include <sys/ioctl.h>
#include <sys/resource.h>

static void say_flags(const char *what, mqd_t mqd)
{
    struct mq_attr attr;
    int flags = fcntl(mqd, F_GETFL), got = mq_getattr(mqd, &attr);

    if (got == -1)
        say("%s: %s", what, result(-1));
    else
        say("%s: F_GETFD %d, access %d, F_GETFL %s, mq_flags %s", what, fcntl(mqd, F_GETFD), flags & O_ACCMODE,
            flags & O_NONBLOCK ? "O_NONBLOCK" : "-", attr.mq_flags & O_NONBLOCK ? "O_NONBLOCK" : "-");
}

static void flags_at_open(void)
{
    static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_NONBLOCK, O_RDONLY | O_CLOEXEC};
    mqd_t mqd = mq_new(1);

    say_flags("created", mqd);
    for (size_t i = 0; i < LENGTH(modes); i++)
        say_flags("opened", mq_again(modes[i]));
}

static void access_modes(void)
{
    mqd_t mqd = mq_new(2), reader = mq_again(O_RDONLY), writer = mq_again(O_WRONLY);

    mq_snd(reader, "x", 0);
    mq_rcv(writer);
    mq_snd(writer, "x", 0);
    mq_rcv(reader);
    mq_state(reader);
    mq_state(writer);
    mq_state(mqd);
}

/* ---- O_NONBLOCK ---- */

static void sets_nonblock(void *argument)
{
    say_flags("child", *(mqd_t *)argument);
    mq_nonblock(*(mqd_t *)argument, 1);
    say_flags("child", *(mqd_t *)argument);
}

static void nonblock_is_shared(void)
{
    mqd_t mqd = mq_new(1), second = mq_again(O_RDWR);
    int copy = dup(mqd);

    finish(spawn("child", sets_nonblock, &mqd));
    say_flags("parent", mqd);
    say_flags("dup", copy);
    say_flags("opened again", second);
    mq_rcv(mqd);
    mq_rcv(copy);
    mq_nonblock(copy, 0);
    say_flags("parent", mqd);
    say_flags("opened again", second);
}

static void nonblock_by_fcntl(void)
{
    mqd_t mqd = mq_new(1), second = mq_again(O_RDWR);

    say("F_SETFL %s", result(fcntl(mqd, F_SETFL, O_NONBLOCK)));
    say_flags("first", mqd);
    say_flags("second", second);
    mq_rcv(mqd);
    mq_nonblock(mqd, 0);
    say_flags("first", mqd);
    mq_nonblock(mqd, 1);
    say_flags("first", mqd);
    say("F_SETFL %s", result(fcntl(mqd, F_SETFL, 0)));
    say_flags("first", mqd);
}

static void nonblock_by_ioctl(void)
{
    mqd_t mqd = mq_new(1);
    int on = 1, off = 0;

    say("FIONBIO %s", result(ioctl(mqd, FIONBIO, &on)));
    say_flags("on", mqd);
    mq_rcv(mqd);
    say("FIONBIO %s", result(ioctl(mqd, FIONBIO, &off)));
    say_flags("off", mqd);
}

static void setattr(void)
{
    static const long flags[] = {O_NONBLOCK, 0, O_RDWR, O_NONBLOCK | O_CREAT, -1, 1};
    struct mq_attr attr, old, *volatile none = NULL;
    mqd_t mqd = mq_new(3);

    mq_fill(mqd, 0);
    for (size_t i = 0; i < LENGTH(flags); i++) {
        memset(&old, 0, sizeof old);
        attr = (struct mq_attr){.mq_flags = flags[i], .mq_maxmsg = 99, .mq_msgsize = 9999, .mq_curmsgs = 7};
        say("mq_setattr(%ld) %s", flags[i], result(mq_setattr(mqd, &attr, &old)));
        say("old: flags %ld, %ld of %ld x %ld", old.mq_flags, old.mq_curmsgs, old.mq_maxmsg, old.mq_msgsize);
        say_flags("now", mqd);
    }
    say("NULL, NULL: %s", result(mq_setattr(mqd, none, NULL)));
    say("NULL, old: %s", result(mq_setattr(mqd, none, &old)));
    mq_state(mqd);
}

/* ---- closing ---- */

static void closed(void)
{
    mqd_t mqd = mq_new(1), second = mq_again(O_RDWR);

    say("close %s", result(close(mqd)));
    mq_snd(mqd, "x", 0);
    mq_rcv(mqd);
    say("mq_getattr %s", result(mq_getattr(mqd, &(struct mq_attr){0})));
    say("mq_setattr %s", result(mq_setattr(mqd, &(struct mq_attr){0}, NULL)));
    say("mq_notify %s", result(mq_notify(mqd, NULL)));
    say("mq_close %s", result(mq_close(mqd)));
    say("close %s", result(close(mqd)));
    mq_snd(second, "still there", 0);
    mq_rcv(second);
    say("mq_close %s", result(mq_close(second)));
    say("mq_close %s", result(mq_close(second)));
    mq_rcv(second);
}

static void number_reused_by_a_file(void)
{
    mqd_t mqd = mq_new(1);
    int file;

    close(mqd);
    file = open("/dev/null", O_RDWR);
    say("same number: %d", file == mqd);
    mq_snd(mqd, "x", 0);
    mq_rcv(mqd);
    say("mq_getattr %s", result(mq_getattr(mqd, &(struct mq_attr){0})));
    say("mq_notify %s", result(mq_notify(mqd, NULL)));
    say("write %s", result(write(file, "x", 1)));
    say("mq_close %s", result(mq_close(mqd)));
    say("write %s", result(write(file, "x", 1)));
}

static void number_reused_by_a_queue(void)
{
    mqd_t first = mq_new(1), second, kept = mq_again(O_RDWR);

    mq_snd(first, "first", 0);
    close(first);
    second = mq_fresh(MQ_NAME2, 1, O_RDWR, 0600);
    say("same number: %d", first == second);
    mq_snd(second, "second", 0);
    mq_rcv(first);
    mq_rcv(kept);
}

static void number_reused_many_times(void)
{
    int wrong = 0;

    for (int i = 0; i < 200; i++) {
        mqd_t mqd = mq_new(1);
        int pipes[2];
        char text[MQ_TEXT_MAX];
        wrong += mq_put(mqd, "x", 0) != 0;
        wrong += mq_receive(mqd, text, sizeof text, NULL) != 1;
        close(mqd);
        need(pipe(pipes) == 0, "pipe");
        wrong += mq_put(pipes[0], "x", 0) != -1 || errno != EBADF;
        wrong += mq_put(pipes[1], "x", 0) != -1 || errno != EBADF;
        close(pipes[0]);
        close(pipes[1]);
    }
    say("%d wrong", wrong);
}

static void not_a_queue(void)
{
    int pipes[2], file = open("/dev/null", O_RDWR);

    need(pipe(pipes) == 0, "pipe");
    mq_snd(file, "x", 0);
    mq_rcv(pipes[0]);
    mq_snd(pipes[1], "x", 0);
    mq_state(file);
    mq_snd(-1, "x", 0);
    mq_rcv(12345);
    mq_snd(1 << 30, "x", 0);
    say("mq_close of a pipe %s", result(mq_close(pipes[1])));
    say("read %s", result(read(pipes[0], &file, 1)));
    say("mq_close(-1) %s", result(mq_close((mqd_t)-1)));
}

static void all_closed(void)
{
    mqd_t mqd = mq_new(1), again;

    mq_snd(mqd, "kept", 0);
    close_range(3, ~0U, 0);
    mq_rcv(mqd);
    again = mq_open(MQ_NAME, O_RDWR);
    say("opened again: %s", again == (mqd_t)-1 ? result(-1) : "yes");
    mq_rcv(again);
}

static void lowest_number(void)
{
    mqd_t mqd;
    int a = dup(0), b = dup(0), c = dup(0);

    close(b);
    mqd = mq_new(1);
    say("takes the lowest free number: %d", mqd == b);
    say("and no other: %d", dup(0) == c + 1);
    say("three in a row: %d", c == a + 2);
}

static void no_number_left(void)
{
    struct rlimit limit, before;
    struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
    mqd_t mqd;

    getrlimit(RLIMIT_NOFILE, &before);
    limit = before;
    limit.rlim_cur = 3;
    mq_unlink(MQ_NAME);
    need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    mqd = mq_open(MQ_NAME, O_CREAT | O_RDWR, 0600, &attr);
    say("mq_open %s", result(mqd));
    need(setrlimit(RLIMIT_NOFILE, &before) == 0, "setrlimit");
    mqd = mq_open(MQ_NAME, O_RDWR);
    say("it was not made: %s", mqd == (mqd_t)-1 ? result(-1) : "but it is there");
}

/* ---- copies ---- */

static void duplicated(void)
{
    mqd_t mqd = mq_new(2);
    int copy = dup(mqd), far = dup2(mqd, 100), kept = fcntl(mqd, F_DUPFD_CLOEXEC, 200);

    say("numbers: %d %d", far == 100, kept == 200);
    mq_snd(copy, "by the copy", 1);
    mq_rcv(far);
    close(mqd);
    mq_snd(kept, "by the last", 2);
    mq_rcv(copy);
    mq_state(far);
    close(copy);
    close(far);
    mq_snd(kept, "alone", 3);
    mq_rcv(kept);
}

static void dup2_over_a_queue(void)
{
    mqd_t mqd = mq_new(2), second = mq_fresh(MQ_NAME2, 2, O_RDWR, 0600), again = mq_again(O_RDWR);
    int pipes[2];

    need(pipe(pipes) == 0, "pipe");
    mq_snd(mqd, "one", 0);
    mq_snd(second, "two", 0);
    dup2(second, mqd);
    mq_rcv(mqd);
    dup2(pipes[0], mqd);
    mq_rcv(mqd);
    mq_rcv(again);
    dup2(again, pipes[1]);
    mq_snd(pipes[1], "three", 0);
    mq_rcv(again);
}

/* ---- names ---- */

static void unlinked_and_made_again(void)
{
    mqd_t old = mq_new(1), new;

    mq_snd(old, "old", 0);
    say("mq_unlink %s", result(mq_unlink(MQ_NAME)));
    say("mq_unlink %s", result(mq_unlink(MQ_NAME)));
    say("mq_open %s", result(mq_open(MQ_NAME, O_RDWR)));
    new = mq_new(2);
    mq_snd(new, "new", 0);
    mq_state(old);
    mq_state(new);
    mq_rcv(old);
    mq_rcv(new);
    close(old);
    mq_snd(new, "still new", 0);
    mq_rcv(new);
}

/* ---- fork ---- */

static void uses_and_closes(void *argument)
{
    mqd_t mqd = *(mqd_t *)argument;

    mq_rcv(mqd);
    mq_snd(mqd, "from the child", 0);
    mq_close(mqd);
    mq_snd(mqd, "x", 0);
}

static void inherited(void)
{
    mqd_t mqd = mq_new(2);

    mq_snd(mqd, "from the parent", 0);
    finish(spawn("child", uses_and_closes, &mqd));
    mq_rcv(mqd);
}

static void unlinks_and_exits(void *argument)
{
    say("mq_unlink %s", result(mq_unlink(argument)));
}

static void unlinked_by_a_child(void)
{
    mqd_t mqd = mq_new(2);

    finish(spawn("child", unlinks_and_exits, (void *)MQ_NAME));
    mq_snd(mqd, "x", 0);
    mq_rcv(mqd);
    say("mq_open %s", result(mq_open(MQ_NAME, O_RDWR)));
}

/* The descriptor is what counts, not who holds it. */
static void as_another_user(void *argument)
{
    become(1000);
    mq_snd(*(mqd_t *)argument, "by uid 1000", 0);
    mq_rcv(*(mqd_t *)argument);
    say("mq_open %s", result(mq_open(MQ_NAME, O_RDWR)));
    say("mq_unlink %s", result(mq_unlink(MQ_NAME)));
}

static void kept_over_setuid(void)
{
    mqd_t mqd = mq_new(2);

    if (can_switch_uid())
        finish(spawn("child", as_another_user, &mqd));
    mq_state(mqd);
}

/* ---- SCM_RIGHTS ---- */

struct channel {
    int end;
    uid_t uid;
};

static void taker(void *argument)
{
    const struct channel *channel = argument;
    mqd_t mqd;

    if (channel->uid != 0)
        become(channel->uid);
    mqd = take_over(channel->end);
    say_flags("taken", mqd);
    mq_rcv(mqd);
    mq_snd(mqd, "back", 5);
    mq_nonblock(mqd, 1);
}

static void passed_to(uid_t uid)
{
    int ends[2];
    struct channel channel;
    struct actor *actor;
    mqd_t mqd;

    need(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    channel = (struct channel){ends[1], uid};
    actor = spawn("taker", taker, &channel);
    mqd = mq_new(2);
    mq_snd(mqd, "over", 1);
    hand_over(ends[0], mqd);
    finish(actor);
    say_flags("given", mqd);
    mq_rcv(mqd);
}

static void passed_over(void) { passed_to(0); }

static void passed_to_another_user(void)
{
    if (can_switch_uid())
        passed_to(1000);
}

/* ---- exec ---- */

static void execs(void *argument)
{
    char number[16];

    snprintf(number, sizeof number, "%d", *(mqd_t *)argument);
    execl("/proc/self/exe", "descriptor", "--use", number, (char *)NULL);
}

static void closed_by_exec(void)
{
    mqd_t mqd = mq_new(2);

    mq_snd(mqd, "x", 0);
    finish(spawn("child", execs, &mqd));
    mq_state(mqd);
}

static void kept_over_exec(void)
{
    mqd_t mqd = mq_new(2);

    mq_snd(mqd, "before exec", 0);
    need(fcntl(mqd, F_SETFD, 0) == 0, "F_SETFD");
    finish(spawn("child", execs, &mqd));
    mq_rcv(mqd);
    say_flags("after", mqd);
}

static void execs_a_copy(void *argument)
{
    mqd_t copy = dup(*(mqd_t *)argument);

    execs(&copy);
}

/* A dup has no FD_CLOEXEC. */
static void copy_kept_over_exec(void)
{
    mqd_t mqd = mq_new(2);

    mq_snd(mqd, "before exec", 0);
    finish(spawn("child", execs_a_copy, &mqd));
    mq_rcv(mqd);
}

/* The program that a scene execs; what it says goes to stdout at once. */
static int use(mqd_t mqd)
{
    say_flags("after exec", mqd);
    mq_rcv(mqd);
    mq_snd(mqd, "after exec", 3);
    say("mq_setattr %s", result(mq_setattr(mqd, &(struct mq_attr){.mq_flags = O_NONBLOCK}, NULL)));
    return 0;
}

static const struct scene scenes[] = {
    SCENE(flags_at_open),
    SCENE(access_modes),
    SCENE(nonblock_is_shared),
    SCENE(nonblock_by_fcntl),
    SCENE(nonblock_by_ioctl),
    SCENE(setattr),
    SCENE(closed),
    SCENE(number_reused_by_a_file),
    SCENE(number_reused_by_a_queue),
    SCENE(number_reused_many_times),
    SCENE(not_a_queue),
    SCENE(all_closed),
    SCENE(lowest_number),
    SCENE(no_number_left),
    SCENE(duplicated),
    SCENE(dup2_over_a_queue),
    SCENE(unlinked_and_made_again),
    SCENE(inherited),
    SCENE(unlinked_by_a_child),
    SCENE(kept_over_setuid),
    SCENE(passed_over),
    SCENE(passed_to_another_user),
    SCENE(closed_by_exec),
    SCENE(kept_over_exec),
    SCENE(copy_kept_over_exec),
};

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--use") == 0)
        return use(atoi(argv[2]));
    return scene_main(argc, argv, scenes, LENGTH(scenes));
}
