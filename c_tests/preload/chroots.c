/*
 * chroots MODE DIRECTORY: the root or working directory changes under the queues' feet. DIRECTORY is an
 * empty one. On the kernel none of this matters to them.
 */
#include "ground.h"

enum { KEY = 0xc400 };

static const char *empty;
static int queue;
static mqd_t mqd;

static void open_and_use(void)
{
    queue = msgget(KEY, IPC_CREAT | 0600);
    mqd = small_queue("/rooted", O_RDWR, 0600);
    NEED(queue != -1 && mqd != (mqd_t)-1, "opening the queues");
    NEED(put_text(queue, 1, "before", 0) == 0 && mq_send(mqd, "mq before", 9, 1) == 0, "sending");
}

static void use_known(void)
{
    say("msgget by the known key gives %s", msgget(KEY, 0) == queue ? "the same id" : "something else");
    say("msgsnd %s", outcome(put_text(queue, 2, "after", 0)));
    say_msgrcv("known", queue, 0, IPC_NOWAIT);
    say_msgrcv("known", queue, 0, IPC_NOWAIT);
    say("IPC_STAT %s", outcome(msgctl(queue, IPC_STAT, &(struct msqid_ds){0})));
}

static void use_new(void)
{
    int fresh = msgget(KEY + 1, IPC_CREAT | IPC_EXCL | 0600);
    mqd_t again = mq_open("/rooted", O_RDWR), other = small_queue("/other", O_RDWR, 0600);

    say("msgget of a new key %s", outcome(fresh));
    say("msgsnd %s", outcome(put_text(fresh, 3, "new", 0)));
    say_msgrcv("new", fresh, 0, IPC_NOWAIT);
    say("IPC_RMID %s", outcome(msgctl(fresh, IPC_RMID, NULL)));
    say_mq_receive("by the old name", again);
    say("by a new name: mq_send %s", outcome(mq_send(other, "other", 5, 2)));
    say_mq_receive("by a new name", other);
    say("mq_unlink %s", outcome(mq_unlink("/other")));
}

static void remove_all(void)
{
    say("IPC_RMID %s, mq_unlink %s", outcome(msgctl(queue, IPC_RMID, NULL)), outcome(mq_unlink("/rooted")));
}

static void enter(void)
{
    NEED(chroot(empty) == 0 && chdir("/") == 0, "chroot %s", empty);
    NEED(access("/dev/shm", F_OK) == -1 && access("/proc", F_OK) == -1, "the new root is not empty");
}

static int mode_warm(void)
{
    open_and_use();
    enter();
    use_known();
    use_new();
    remove_all();
    return 0;
}

/* The first call ever comes after. */
static int mode_cold(void)
{
    enter();
    open_and_use();
    use_known();
    use_new();
    remove_all();
    return 0;
}

/* A child of a chrooted process. */
static int mode_fork(void)
{
    pid_t pid;

    open_and_use();
    enter();
    pid = fork();
    NEED(pid != -1, "fork");
    if (pid == 0) {
        use_known();
        use_new();
        _exit(0);
    }
    say("child: %s", status_text(reap(pid)));
    remove_all();
    return 0;
}

static void close_all(void)
{
    int fd;

    for (fd = 3; fd < 4096; fd++)
        close(fd);
}

/* All descriptors gone too: what was open before is still open. */
static int mode_closed_known(void)
{
    open_and_use();
    enter();
    close_all();
    use_known();
    say("IPC_RMID %s", outcome(msgctl(queue, IPC_RMID, NULL)));
    return 0;
}

/* As above, and then something new. */
static int mode_closed_new(void)
{
    open_and_use();
    enter();
    close_all();
    use_new();
    remove_all();
    return 0;
}

/* Closing first, as daemons do: at chroot(2) no directory is open, only its path is known. */
static int mode_closed_before(void)
{
    open_and_use();
    close_all();
    enter();
    use_known();
    use_new();
    remove_all();
    return 0;
}

/* A working directory that moves, and one that is deleted. */
static int mode_chdir(void)
{
    char path[4096];

    open_and_use();
    NEED(chdir("/") == 0, "chdir");
    use_known();
    use_new();
    snprintf(path, sizeof path, "%s/doomed", empty);
    NEED(mkdir(path, 0700) == 0 && chdir(path) == 0 && rmdir(path) == 0, "chdir %s", path);
    NEED(mq_send(mqd, "mq again", 8, 1) == 0, "mq_send");
    use_known();
    use_new();
    remove_all();
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {
        {"warm", mode_warm}, {"cold", mode_cold},
        {"fork", mode_fork}, {"closed-known", mode_closed_known},
        {"closed-new", mode_closed_new}, {"closed-before", mode_closed_before},
        {"chdir", mode_chdir},
    };

    NEED(argc == 3, "usage: chroots MODE DIRECTORY");
    empty = argv[2];
    return run_mode(modes, LENGTH(modes), argv[1]);
}
