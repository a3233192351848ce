/*
 * forks MODE: a process that has used its queues makes another one in every way Linux has; the new one
 * uses the same queues, and its messages carry its own process id.
 */
#include "ground.h"
#include <pthread.h>
#include <sys/syscall.h>

enum { KEY = 0x0f0c };

/* The libc may lack it (POSIX.1-2024, glibc 2.34). */
extern pid_t _Fork(void) __attribute__((weak));

static int queue = -1;
static int others_use_it; /* other threads send and receive on the queue: lspid and lrpid may be theirs */
static mqd_t to_child = (mqd_t)-1, to_parent = (mqd_t)-1;

static void open_all(void)
{
    queue = msgget(KEY, IPC_CREAT | 0600);
    NEED(queue != -1, "msgget");
    to_child = small_queue("/to-child", O_RDWR, 0600);
    to_parent = small_queue("/to-parent", O_RDWR, 0600);
    NEED(to_child != (mqd_t)-1 && to_parent != (mqd_t)-1, "mq_open");
}

static void remove_all(void)
{
    NEED(msgctl(queue, IPC_RMID, NULL) == 0, "IPC_RMID");
    NEED(mq_unlink("/to-child") == 0 && mq_unlink("/to-parent") == 0, "mq_unlink");
}

/* What every new process does, and its status: which check of its own identity failed. */
static int new_process(void)
{
    struct text_message message;
    struct msqid_ds ds;
    char text[TEXT_BYTES];
    int own;

    if (msgrcv(queue, &message, sizeof message.text, 1, 0) != 4 || memcmp(message.text, "down", 4))
        return 10;
    if (msgctl(queue, IPC_STAT, &ds) == -1 || (!others_use_it && ds.msg_lrpid != getpid()))
        return 11;
    if (put_text(queue, 2, "up", 0) == -1)
        return 12;
    if (msgctl(queue, IPC_STAT, &ds) == -1 || (!others_use_it && ds.msg_lspid != getpid()))
        return 13;
    if (mq_receive(to_child, text, sizeof text, NULL) != 7 || memcmp(text, "mq down", 7))
        return 14;
    if (mq_send(to_parent, "mq up", 5, 3) == -1)
        return 15;
    own = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    if (own == -1 || put_text(own, 1, "mine", 0) == -1 || msgctl(own, IPC_RMID, NULL) == -1)
        return 16;
    return msgget(KEY, 0) == queue ? 0 : 17;
}

static void to_new_process(void)
{
    NEED(put_text(queue, 1, "down", 0) == 0, "msgsnd");
    NEED(mq_send(to_child, "mq down", 7, 3) == 0, "mq_send");
}

static void from_new_process(pid_t pid)
{
    struct msqid_ds ds;
    int status = reap(pid);

    say("child: %s", status_text(status));
    say_msgrcv("parent", queue, 2, IPC_NOWAIT);
    say_mq_receive("parent", to_parent);
    NEED(msgctl(queue, IPC_STAT, &ds) == 0, "IPC_STAT");
    say("parent: last sender is %s, last receiver is %s", ds.msg_lspid == pid ? "the child" : "another",
        ds.msg_lrpid == getpid() ? "the parent" : "another");
    NEED(put_text(queue, 3, "again", 0) == 0 && msgctl(queue, IPC_STAT, &ds) == 0, "msgsnd");
    say("parent: last sender is %s", ds.msg_lspid == getpid() ? "the parent" : "another");
    say_msgrcv("parent", queue, 3, IPC_NOWAIT);
}

static pid_t raw_clone(void) { return (pid_t)syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L); }

static int with(pid_t (*make)(void))
{
    pid_t pid;

    open_all();
    /* The parent's own use first: whatever is cached is its own. */
    NEED(put_text(queue, 9, "warm", 0) == 0, "msgsnd");
    say_msgrcv("parent", queue, 9, IPC_NOWAIT);
    to_new_process();
    pid = make();
    NEED(pid != -1, "cannot make a process");
    if (pid == 0)
        _exit(new_process());
    from_new_process(pid);
    remove_all();
    return 0;
}

static int mode_fork(void) { return with(fork); }
static int mode_clone(void) { return with(raw_clone); }

static int mode_Fork(void)
{
    return with(_Fork ? _Fork : raw_clone);
}

/* A fork before the first use: both begin at once. */
static int mode_cold(void)
{
    pid_t pid = fork();

    NEED(pid != -1, "fork");
    if (pid == 0) {
        sleep_ms(20);
        open_all();
        _exit(new_process());
    }
    open_all();
    to_new_process();
    from_new_process(pid);
    remove_all();
    return 0;
}

/* A chain of five, each made in another way, each using the queues before it goes on. */
static int link_of_chain(int depth)
{
    pid_t (*const make[])(void) = {fork, raw_clone, _Fork ? _Fork : raw_clone, fork};
    pid_t pid;

    if (put_text(queue, depth + 1, "link", 0) == -1)
        return 20 + depth;
    if (depth == (int)LENGTH(make))
        return 0;
    pid = make[depth]();
    if (pid == 0)
        _exit(link_of_chain(depth + 1));
    if (pid == -1 || reap(pid) != 0)
        return 30 + depth;
    /* After its child's death this process still works. */
    return put_text(queue, 100 + depth, "back", 0) == -1 ? 40 + depth : 0;
}

static int mode_chain(void)
{
    struct text_message message;
    int status, taken = 0;

    open_all();
    status = link_of_chain(0);
    while (msgrcv(queue, &message, sizeof message.text, 0, IPC_NOWAIT) != -1)
        taken += (int)message.type;
    say("chain: %d, sum of types %d", status, taken);
    remove_all();
    return 0;
}

/* vfork and exec: the child borrows the parent's memory, then becomes another program. */
static int mode_vfork(void)
{
    char id[16];
    pid_t pid;

    open_all();
    to_new_process();
    snprintf(id, sizeof id, "%d", queue);
    pid = vfork();
    if (pid == 0) {
        execl("/proc/self/exe", "forks", "exec-child", id, (char *)NULL);
        _exit(99);
    }
    NEED(pid != -1, "vfork");
    from_new_process(pid);
    remove_all();
    return 0;
}

static const char *exec_id;

/* The program that vfork's child becomes: the identifier alone is enough for it. */
static int mode_exec_child(void)
{
    queue = atoi(exec_id);
    to_child = mq_open("/to-child", O_RDWR);
    to_parent = mq_open("/to-parent", O_RDWR);
    return new_process();
}

/* A call made between vfork and _exit runs in the parent's memory: the parent is none the worse. */
static int mode_vfork_calls(void)
{
    struct msqid_ds ds;
    pid_t pid;

    open_all();
    NEED(put_text(queue, 1, "warm", 0) == 0, "msgsnd");
    pid = vfork();
    if (pid == 0)
        _exit(msgctl(queue, IPC_STAT, &ds) == 0 && mq_send(to_parent, "vfork", 5, 0) == 0 ? 0 : 1);
    NEED(pid != -1, "vfork");
    say("child: %s", status_text(reap(pid)));
    say_mq_receive("parent", to_parent);
    NEED(put_text(queue, 1, "after", 0) == 0 && msgctl(queue, IPC_STAT, &ds) == 0, "msgsnd");
    say("parent: last sender is %s", ds.msg_lspid == getpid() ? "the parent" : "another");
    remove_all();
    return 0;
}

static volatile int stop;

static void *hammer(void *unused)
{
    struct text_message message;

    (void)unused;
    while (!stop) {
        put_text(queue, 7, "hammer", IPC_NOWAIT);
        msgrcv(queue, &message, sizeof message.text, 7, IPC_NOWAIT);
        put_text(msgget(KEY, 0), 7, "by key", IPC_NOWAIT);
        msgrcv(queue, &message, sizeof message.text, 7, IPC_NOWAIT);
    }
    return NULL;
}

/* Forks of a process whose other threads are inside the calls at that moment. */
static int mode_threads(void)
{
    pthread_t thread[3];
    int round;
    size_t i;

    open_all();
    others_use_it = 1;
    for (i = 0; i < LENGTH(thread); i++)
        NEED(pthread_create(&thread[i], NULL, hammer, NULL) == 0, "pthread_create");
    for (round = 0; round < 150; round++) {
        pid_t pid;

        to_new_process();
        pid = round % 2 ? fork() : raw_clone();
        NEED(pid != -1, "fork");
        if (pid == 0) {
            alarm(20);
            _exit(new_process());
        }
        reap_well(pid, "the child of a process with threads");
        NEED(mq_receive(to_parent, (char[TEXT_BYTES]){0}, TEXT_BYTES, NULL) == 5, "mq_receive");
        NEED(msgrcv(queue, &(struct text_message){0}, TEXT_BYTES, 2, 0) == 2, "msgrcv");
    }
    stop = 1;
    for (i = 0; i < LENGTH(thread); i++)
        pthread_join(thread[i], NULL);
    say("forked %d times among busy threads", round);
    remove_all();
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {
        {"fork", mode_fork},       {"_Fork", mode_Fork},           {"clone", mode_clone},
        {"cold", mode_cold},       {"chain", mode_chain},          {"vfork", mode_vfork},
        {"threads", mode_threads}, {"exec-child", mode_exec_child}, {"vfork-calls", mode_vfork_calls},
    };

    exec_id = argc > 2 ? argv[2] : "-1";
    return run_mode(modes, LENGTH(modes), argc > 1 ? argv[1] : NULL);
}
