/*
 * closed MODE: the program closes descriptors it never opened, as daemons and shells do, and its next
 * files get their numbers. The queues go on; no foreign file is written to or moved.
 */
#include "ground.h"
#include <sys/resource.h>
#include <sys/syscall.h>

enum { KEY = 0x0c105ed, FOREIGN = 24, HIGHEST = 1023 };

static const char CONTENT[] = "foreign file, hands off\n";
static char foreign_name[FOREIGN][64];
static int foreign_fd[FOREIGN];
static int queue;
static mqd_t mqd;

static void open_and_use(void)
{
    queue = msgget(KEY, IPC_CREAT | 0600);
    mqd = small_queue("/closed", O_RDWR, 0600);
    NEED(queue != -1 && mqd != (mqd_t)-1, "opening the queues");
    NEED(put_text(queue, 1, "before", 0) == 0 && mq_send(mqd, "mq before", 9, 1) == 0, "sending");
}

/* Files that take the numbers of those just closed. */
static void open_foreign(void)
{
    int i;

    for (i = 0; i < FOREIGN; i++) {
        snprintf(foreign_name[i], sizeof foreign_name[i], "/tmp/usipc-closed.%d.%d", (int)getpid(), i);
        foreign_fd[i] = open(foreign_name[i], O_RDWR | O_CREAT | O_EXCL, 0600);
        NEED(foreign_fd[i] >= 0, "open %s", foreign_name[i]);
        NEED(write(foreign_fd[i], CONTENT, strlen(CONTENT)) == (ssize_t)strlen(CONTENT), "write");
        NEED(lseek(foreign_fd[i], 5, SEEK_SET) == 5, "lseek");
    }
}

static void check_foreign(void)
{
    char text[sizeof CONTENT + 8];
    int i, intact = 0;

    for (i = 0; i < FOREIGN; i++) {
        memset(text, 0, sizeof text);
        if (lseek(foreign_fd[i], 0, SEEK_CUR) == 5 && fcntl(foreign_fd[i], F_GETFD) == 0 &&
            (fcntl(foreign_fd[i], F_GETFL) & (O_ACCMODE | O_NONBLOCK)) == O_RDWR &&
            pread(foreign_fd[i], text, sizeof text, 0) == (ssize_t)strlen(CONTENT) && strcmp(text, CONTENT) == 0)
            intact++;
        close(foreign_fd[i]);
        unlink(foreign_name[i]);
    }
    say("foreign files: %d of %d intact", intact, FOREIGN);
}

static void try_old_descriptor(void)
{
    char text[TEXT_BYTES];

    say("the old descriptor: mq_send %s, mq_receive %s, mq_getattr %s, mq_notify %s",
        outcome(mq_send(mqd, "x", 1, 0)), outcome(mq_receive(mqd, text, sizeof text, NULL)),
        outcome(mq_getattr(mqd, &(struct mq_attr){0})), outcome(mq_notify(mqd, NULL)));
    say("the old descriptor: mq_setattr %s", outcome(mq_setattr(mqd, &(struct mq_attr){0}, NULL)));
}

/* Everything a process does with queues, on old ones and on new ones. */
static void use_queues(void)
{
    mqd_t again, fresh;
    int private;

    say("msgget by the known key gives %s", msgget(KEY, 0) == queue ? "the same id" : "something else");
    say("msgsnd %s", outcome(put_text(queue, 2, "after", 0)));
    say_msgrcv("old queue", queue, 0, IPC_NOWAIT);
    say_msgrcv("old queue", queue, 0, IPC_NOWAIT);
    private = msgget(KEY + 1, IPC_CREAT | IPC_EXCL | 0600);
    say("msgget of a new key %s", outcome(private));
    say("msgsnd %s", outcome(put_text(private, 3, "new queue", 0)));
    say_msgrcv("new queue", private, 0, IPC_NOWAIT);
    say("IPC_RMID %s", outcome(msgctl(private, IPC_RMID, NULL)));
    again = mq_open("/closed", O_RDWR);
    say("mq_open of the old name %s", outcome(again));
    say_mq_receive("old queue", again);
    fresh = small_queue("/fresh", O_RDWR, 0600);
    say("mq_open of a new name %s", outcome(fresh));
    say("mq_send %s", outcome(mq_send(fresh, "fresh", 5, 2)));
    say_mq_receive("new queue", fresh);
    say("mq_close %s, mq_unlink %s", outcome(mq_close(fresh)), outcome(mq_unlink("/fresh")));
    say("mq_close %s", outcome(mq_close(again)));
}

static void remove_all(void)
{
    say("IPC_RMID %s, mq_unlink %s", outcome(msgctl(queue, IPC_RMID, NULL)), outcome(mq_unlink("/closed")));
}

static void close_loop(void)
{
    int fd;

    for (fd = 3; fd <= HIGHEST; fd++)
        close(fd);
}

/* glibc 2.34; the call behind it else. */
extern void closefrom(int) __attribute__((weak));

static void close_from(void)
{
    if (closefrom)
        closefrom(3);
    else
        close_loop();
}

/* glibc 2.34 too. */
extern int close_range(unsigned, unsigned, int) __attribute__((weak));

static void close_by_range(void)
{
    if (close_range)
        NEED(close_range(3, ~0U, 0) == 0, "close_range");
    else
        close_loop();
}

static void close_by_system_call(void) { NEED(syscall(SYS_close_range, 3U, ~0U, 0U) == 0, "close_range"); }

static int closed_by(void (*close_all)(void))
{
    open_and_use();
    close_all();
    open_foreign();
    /* Past libc a descriptor cannot be closed with anybody's knowledge; the number is not to be used then. */
    if (close_all != close_by_system_call)
        try_old_descriptor();
    use_queues();
    check_foreign();
    remove_all();
    return 0;
}

static int mode_loop(void) { return closed_by(close_loop); }
static int mode_closefrom(void) { return closed_by(close_from); }
static int mode_close_range(void) { return closed_by(close_by_range); }
static int mode_system_call(void) { return closed_by(close_by_system_call); }

/* As above, but the first use comes after. */
static int mode_cold(void)
{
    close_by_system_call();
    open_foreign();
    open_and_use();
    use_queues();
    check_foreign();
    remove_all();
    return 0;
}

/* Standard input, output and error are closed too, and the foreign files become 0, 1 and 2. */
static int mode_standard(void)
{
    int i, report = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, HIGHEST);

    for (i = 0; i < 100; i++)
        close(i);
    open_foreign();
    open_and_use();
    NEED(syscall(SYS_close_range, 3U, (unsigned)report - 1, 0U) == 0, "close_range");
    NEED(put_text(queue, 2, "after", 0) == 0, "msgsnd");
    NEED(mq_open("/nothing", O_RDWR) == (mqd_t)-1 && errno == ENOENT, "mq_open");
    for (i = 0; i < 3; i++) {
        char text[sizeof CONTENT] = "";

        NEED(pread(i, text, sizeof text - 1, 0) == (ssize_t)strlen(CONTENT) && !strcmp(text, CONTENT), "file %d", i);
    }
    NEED(dup2(report, STDOUT_FILENO) == STDOUT_FILENO, "dup2");
    for (i = 0; i < FOREIGN; i++)
        unlink(foreign_name[i]);
    remove_all();
    return 0;
}

/* A closed queue descriptor's number given to a file, to another queue, to a copy. */
static int mode_reused(void)
{
    char text[TEXT_BYTES];
    mqd_t first = small_queue("/first", O_RDWR, 0600), second = small_queue("/second", O_RDWR, 0600), again;
    int file;

    NEED(first != (mqd_t)-1 && second != (mqd_t)-1, "mq_open");
    NEED(mq_send(first, "first", 5, 0) == 0 && mq_send(second, "second", 6, 0) == 0, "mq_send");
    say("close %s", outcome(close(first)));
    say("closed: mq_send %s, mq_close %s", outcome(mq_send(first, "x", 1, 0)), outcome(mq_close(first)));
    file = open("/dev/null", O_RDWR);
    say("the number is %s", file == first ? "reused" : "not reused");
    say("a file: mq_send %s, mq_receive %s", outcome(mq_send(file, "x", 1, 0)),
        outcome(mq_receive(file, text, sizeof text, NULL)));
    close(file);
    again = mq_open("/second", O_RDWR);
    say("the number is %s", again == first ? "reused" : "not reused");
    say("another queue: mq_send %s", outcome(mq_send(again, "third", 5, 0)));
    say_mq_receive("second", second);
    say_mq_receive("second", again);
    mq_close(again);
    mq_close(second);
    again = mq_open("/first", O_RDONLY);
    say("read only: mq_send %s", outcome(mq_send(again, "x", 1, 0)));
    say_mq_receive("first", again);
    say("unlink %s %s", outcome(mq_unlink("/first")), outcome(mq_unlink("/second")));
    return 0;
}

/* Copies of a queue's descriptor are the same open queue: dup(2), dup2(2), fcntl(2). */
static int mode_dup(void)
{
    mqd_t first = small_queue("/first", O_RDWR, 0600), second = small_queue("/second", O_RDWR, 0600);
    struct mq_attr attr = {.mq_flags = O_NONBLOCK};
    int copy = dup(first), high = fcntl(first, F_DUPFD_CLOEXEC, 200);

    NEED(copy >= 0 && high >= 200, "dup");
    say("mq_send to a copy %s, to another %s", outcome(mq_send(copy, "copy", 4, 1)), outcome(mq_send(high, "high", 4, 2)));
    say_mq_receive("original", first);
    say_mq_receive("copy", copy);
    say("mq_setattr %s", outcome(mq_setattr(copy, &attr, NULL)));
    mq_getattr(first, &attr);
    say("the original is %s", attr.mq_flags & O_NONBLOCK ? "non-blocking too" : "blocking");
    say("mq_close %s", outcome(mq_close(first)));
    say("mq_send to a copy whose original is closed %s", outcome(mq_send(copy, "still", 5, 0)));
    say_mq_receive("copy", high);
    say("dup2 of the second onto the copy %s", outcome(dup2(second, copy)));
    say("mq_send %s", outcome(mq_send(copy, "moved", 5, 0)));
    say_mq_receive("second", second);
    say("unlink %s %s", outcome(mq_unlink("/first")), outcome(mq_unlink("/second")));
    return 0;
}

/* The number of a descriptor that is not close-on-exec any more, used by the next program. */
static const char *inherited;

static int mode_exec(void)
{
    mqd_t first = small_queue("/first", O_RDWR, 0600);
    char number[16];

    if (inherited) {
        say("inherited: mq_send %s", outcome(mq_send(atoi(inherited), "through exec", 12, 4)));
        say_mq_receive("by name", first);
        say("unlink %s", outcome(mq_unlink("/first")));
        return 0;
    }
    say("close-on-exec is %s", fcntl(first, F_GETFD) & FD_CLOEXEC ? "set" : "not set");
    fcntl(first, F_SETFD, 0);
    snprintf(number, sizeof number, "%d", first);
    execl("/proc/self/exe", "closed", "exec", number, (char *)NULL);
    return 3;
}

/* `spare` descriptors are left below RLIMIT_NOFILE, everything else is taken. */
static void leave_spare(rlim_t spare)
{
    struct rlimit limit;
    int taken = dup(0);

    NEED(taken != -1 && getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    close(taken);
    limit.rlim_cur = (rlim_t)taken + spare;
    NEED(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

static int mode_nofile_warm(void)
{
    open_and_use();
    leave_spare(4);
    NEED(close(mqd) == 0, "close");
    use_queues();
    remove_all();
    return 0;
}

static int mode_nofile_cold(void)
{
    leave_spare(5);
    open_and_use();
    use_queues();
    remove_all();
    return 0;
}

/* None is left: known queues work, a new queue descriptor is EMFILE. */
static int mode_nofile_none(void)
{
    open_and_use();
    leave_spare(0);
    say("msgget by the known key gives %s", msgget(KEY, 0) == queue ? "the same id" : "something else");
    say("msgsnd %s", outcome(put_text(queue, 2, "after", 0)));
    say_msgrcv("old queue", queue, 0, IPC_NOWAIT);
    say("mq_send %s", outcome(mq_send(mqd, "full", 4, 5)));
    say_mq_receive("old queue", mqd);
    say("mq_open %s", outcome(mq_open("/closed", O_RDWR)));
    say("mq_open of a new name %s", outcome(small_queue("/fresh", O_RDWR, 0600)));
    say("IPC_STAT %s", outcome(msgctl(queue, IPC_STAT, &(struct msqid_ds){0})));
    NEED(close(mqd) == 0, "close");
    remove_all();
    return 0;
}

static int daemon_end; /* the pipe's end through which the daemon reports */

static int become_daemon(void *unused)
{
    (void)unused;
    NEED(daemon(0, 0) == 0, "daemon");
    dup2(daemon_end, STDOUT_FILENO);
    use_queues();
    return 0;
}

/* daemon(3): a fork, a new session, another working directory, standard descriptors elsewhere. */
static int mode_daemon(void)
{
    char line[256];
    int ends[2];
    ssize_t length;

    open_and_use();
    NEED(pipe(ends) == 0, "pipe");
    daemon_end = ends[1];
    reap_well(start(become_daemon, NULL), "the daemon's parent");
    close(ends[1]);
    while ((length = read(ends[0], line, sizeof line)) > 0)
        NEED(write(STDOUT_FILENO, line, (size_t)length) == length, "write");
    say_msgrcv("parent", queue, 0, IPC_NOWAIT);
    remove_all();
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {
        {"loop", mode_loop},
        {"closefrom", mode_closefrom},
        {"close_range", mode_close_range},
        {"system-call", mode_system_call},
        {"cold", mode_cold},
        {"standard", mode_standard},
        {"reused", mode_reused},
        {"dup", mode_dup},
        {"exec", mode_exec},
        {"nofile-warm", mode_nofile_warm},
        {"nofile-cold", mode_nofile_cold},
        {"nofile-none", mode_nofile_none},
        {"daemon", mode_daemon},
    };

    inherited = argc > 2 ? argv[2] : NULL;
    return run_mode(modes, LENGTH(modes), argc > 1 ? argv[1] : NULL);
}
