/*
 * nosyscall OPERATION GUARD: warms up, then does an operation 10,000 times where system calls are
 * forbidden or counted.
 *     OPERATION  msg (msgsnd and msgrcv), msgget (of a known key), mq (mq_send and mq_receive),
 *                sem (semop without SEM_UNDO), sem-undo (a lock held with SEM_UNDO), sem-beside (the same
 *                while another process has adjustments there), sem-array (three semaphores in one semop),
 *                semctl (GETVAL), semget, shmget (of a known key), mq-polled (mq on a queue that was polled,
 *                also by a process that ended in poll), all; and where system calls are only counted,
 *                mq-watched (mq on a queue that an epoll watches), msg-stale (IPC_STAT by the identifier of a
 *                queue that had the present one's place before), shm-attach (shmat and shmdt)
 *     GUARD      filter (seccomp kills at any call but write and exit_group), strict (seccomp's strict
 *                mode), marks (two write(2) calls between which a tracer counts), none
 * Ends with 0 when all were done, with 20 when an operation failed, with 21 when what was forbidden
 * was done (by signal, told by the parent). On x86 the strict mode forbids rdtsc too (SIGSEGV), and so
 * the fine clocks of the vdso.
 */
#include "ground.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

enum { KEY = 0x105, ROUNDS = 10000, DEPTH = 8, TYPES = 5, LONGEST = 1000, SEMS = 40 };

static int queue, set, segment;
static mqd_t mqd;

/* Lengths and types go through their whole range, so that no size class is left out. */
static size_t length_of(int i) { return (size_t)(i * 37) % (LONGEST + 1); }

static int send_msg(int i)
{
    static struct {
        long type;
        char text[LONGEST];
    } message;

    message.type = 1 + i % TYPES;
    return msgsnd(queue, &message, length_of(i), IPC_NOWAIT);
}

static int receive_msg(int i)
{
    static const long wanted[] = {0, 0, 2, -3, -TYPES};
    static struct {
        long type;
        char text[LONGEST];
    } message;
    ssize_t received = msgrcv(queue, &message, LONGEST, wanted[i % (int)LENGTH(wanted)], IPC_NOWAIT);

    return received == -1 && errno == ENOMSG ? (int)msgrcv(queue, &message, LONGEST, 0, IPC_NOWAIT) : (int)received;
}

static int send_mq(int i)
{
    static char text[LONGEST];

    return mq_send(mqd, text, length_of(i), (unsigned)(i * 7) % 32768);
}

static int receive_mq(int i)
{
    static char text[LONGEST];
    unsigned priority;

    (void)i;
    return (int)mq_receive(mqd, text, sizeof text, &priority);
}

/* Depth 1 for the first half, then the queue is kept filled to DEPTH - 1: never full, never empty. */
static int pairs(int (*send)(int), int (*receive)(int))
{
    int i;

    for (i = 0; i < ROUNDS / 2; i++)
        if (send(i) == -1 || receive(i) == -1)
            return -1;
    for (i = 0; i < DEPTH - 1; i++)
        if (send(i) == -1)
            return -1;
    for (i = 0; i < ROUNDS / 2; i++)
        if (send(i) == -1 || receive(i) == -1)
            return -1;
    for (i = 0; i < DEPTH - 1; i++)
        if (receive(i) == -1)
            return -1;
    return 0;
}

static int do_msg(void) { return pairs(send_msg, receive_msg); }
static int do_mq(void) { return pairs(send_mq, receive_mq); }

static int do_msgget(void)
{
    int i;

    for (i = 0; i < ROUNDS; i++)
        if (msgget(KEY, i % 2 ? 0 : IPC_CREAT | 0600) != queue)
            return -1;
    return 0;
}

/* One operation on one semaphore: up, down, and wait for zero. */
static int do_sem(void)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        unsigned short sem = (unsigned short)(i % SEMS);
        struct sembuf up = {sem, 3, 0}, down = {sem, -3, IPC_NOWAIT}, zero = {sem, 0, 0};

        if (semop(set, &up, 1) == -1 || semop(set, &down, 1) == -1 || semop(set, &zero, 1) == -1)
            return -1;
    }
    return 0;
}

static int lock_and_unlock(struct sembuf *ops, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        ops[i].sem_op = 1;
    if (semop(set, ops, count) == -1)
        return -1;
    for (i = 0; i < count; i++)
        ops[i].sem_op = -1;
    return semop(set, ops, count);
}

static int do_sem_undo(void)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        struct sembuf op = {(unsigned short)(i % SEMS), 0, SEM_UNDO};

        if (lock_and_unlock(&op, 1) == -1)
            return -1;
    }
    return 0;
}

/* The others' adjustments are theirs as long as they live: that is asked at every operation. */
static int do_sem_beside(void)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        struct sembuf op = {(unsigned short)(i % 2), 0, SEM_UNDO};

        if (lock_and_unlock(&op, 1) == -1)
            return -1;
    }
    return 0;
}

static void start_neighbour(void)
{
    struct sembuf take[] = {{0, 1, SEM_UNDO}, {1, 1, SEM_UNDO}};
    int ready[2];
    char byte;

    NEED(pipe(ready) == 0, "pipe");
    if (fork_bound() == 0) {
        NEED(semop(set, take, 2) == 0 && write(ready[1], "r", 1) == 1, "a neighbour's semop");
        for (;;)
            pause();
    }
    NEED(read(ready[0], &byte, 1) == 1, "the neighbour failed");
}

/* By turns with SEM_UNDO and without. */
static int do_sem_array(void)
{
    int i, k;

    for (i = 0; i < ROUNDS; i++) {
        struct sembuf ops[3];

        for (k = 0; k < 3; k++)
            ops[k] = (struct sembuf){(unsigned short)((i + 13 * k) % SEMS), 0, i % 2 ? SEM_UNDO : 0};
        if (lock_and_unlock(ops, 3) == -1)
            return -1;
    }
    return 0;
}

static int do_semctl(void)
{
    int i;

    for (i = 0; i < ROUNDS; i++)
        if (semctl(set, i % SEMS, GETVAL) != 0)
            return -1;
    return 0;
}

static int do_semget(void)
{
    int i;

    for (i = 0; i < ROUNDS; i++)
        if (semget(KEY, i % 2 ? 0 : SEMS, i % 2 ? 0 : IPC_CREAT | 0600) != set)
            return -1;
    return 0;
}

static int do_shmget(void)
{
    int i;

    for (i = 0; i < ROUNDS; i++)
        if (shmget(KEY, i % 2 ? 0 : 4096, i % 2 ? 0 : IPC_CREAT | 0600) != segment)
            return -1;
    return 0;
}

static int do_all(void)
{
    return do_msg() == -1 || do_mq() == -1 || do_msgget() == -1 || do_sem() == -1 || do_sem_undo() == -1 ||
                   do_sem_array() == -1 || do_semctl() == -1 || do_semget() == -1 || do_shmget() == -1
               ? -1
               : 0;
}

static int do_nothing(void) { return 0; }

/* From empty to one message and back: what a poller would be told changes each time. */
static int mq_by_turns(void)
{
    int i;

    for (i = 0; i < ROUNDS; i++)
        if (send_mq(i) == -1 || receive_mq(i) == -1)
            return -1;
    return 0;
}

static int do_mq_polled(void) { return mq_by_turns(); }
static int do_mq_watched(void) { return mq_by_turns(); }

/* A process ends in poll, by the signal, and can tell nobody; another polls, and comes back. */
static void have_it_polled(void)
{
    struct pollfd look = {mqd, POLLIN, 0};
    pid_t pid = fork_bound();

    if (pid == 0) {
        ualarm(50000, 0);
        _exit(poll(&look, 1, -1));
    }
    NEED(waitpid(pid, NULL, 0) == pid, "waitpid");
    NEED(poll(&look, 1, 0) == 0, "poll");
}

static void have_it_watched(void)
{
    struct epoll_event event = {EPOLLIN, {0}};

    NEED(epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, mqd, &event) == 0, "epoll_ctl");
}

static int do_msg_stale(void)
{
    struct msqid_ds ds;
    int i;

    for (i = 0; i < ROUNDS; i++)
        if (msgctl(queue ^ 1 << 15, IPC_STAT, &ds) == 0 || errno != EINVAL)
            return -1;
    return 0;
}

static int do_shm_attach(void)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        char *p = shmat(segment, NULL, 0);

        if (p == (char *)-1 || (*p = (char)i, shmdt(p)) == -1)
            return -1;
    }
    return 0;
}

static void warm_up(int (*operation)(void))
{
    struct mq_attr attr = {.mq_maxmsg = DEPTH + 2, .mq_msgsize = LONGEST};

    queue = msgget(KEY, IPC_CREAT | 0600);
    mqd = mq_open("/nosyscall", O_CREAT | O_RDWR, 0600, &attr);
    set = semget(KEY, SEMS, IPC_CREAT | 0600);
    segment = shmget(KEY, 4096, IPC_CREAT | 0600);
    NEED(queue != -1 && mqd != (mqd_t)-1 && set != -1 && segment != -1, "making the objects");
    NEED(do_all() == 0 && do_all() == 0, "warming up");
    if (operation == do_sem_beside) {
        start_neighbour();
        NEED(do_sem_beside() == 0, "warming up");
    }
    if (operation == do_mq_polled)
        have_it_polled();
    if (operation == do_mq_watched)
        have_it_watched();
    if (operation == do_mq_polled || operation == do_mq_watched)
        NEED(operation() == 0, "warming up");
    NEED(operation != do_shm_attach || operation() == 0, "warming up");
}

static void enter_filter(void)
{
#define LET(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        LET(SYS_write),
        LET(SYS_exit_group),
        LET(SYS_rt_sigreturn),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {LENGTH(instructions), instructions};

    NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
    NEED(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0, "seccomp filter");
}

static void guarded_child(const char *guard, int (*operation)(void))
{
    int done;

    if (strcmp(guard, "filter") == 0)
        enter_filter();
    else if (strcmp(guard, "strict") == 0)
        NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0, "seccomp strict mode");
    else if (strcmp(guard, "marks") == 0)
        (void)!write(STDERR_FILENO, "begin\n", 6);
    done = operation();
    if (strcmp(guard, "marks") == 0)
        (void)!write(STDERR_FILENO, "end\n", 4);
    /* Strict mode knows exit alone, not exit_group. */
    syscall(strcmp(guard, "strict") == 0 ? SYS_exit : SYS_exit_group, done == 0 ? 0 : 20);
}

/* The process that is guarded is the one that warmed up; the parent only tells how it ended. */
int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } operations[] = {{"msg", do_msg},           {"mq", do_mq},
                      {"msgget", do_msgget},     {"sem", do_sem},
                      {"sem-undo", do_sem_undo}, {"sem-array", do_sem_array},
                      {"sem-beside", do_sem_beside}, {"mq-polled", do_mq_polled}, {"mq-watched", do_mq_watched},
                      {"msg-stale", do_msg_stale}, {"shm-attach", do_shm_attach},
                      {"semctl", do_semctl},     {"semget", do_semget}, {"shmget", do_shmget},
                      {"all", do_all},           {"nothing", do_nothing}};
    size_t i;
    pid_t pid;
    int status;

    NEED(argc == 3, "usage: nosyscall OPERATION GUARD");
    for (i = 0; i < LENGTH(operations) && strcmp(operations[i].name, argv[1]) != 0; i++)
        ;
    NEED(i < LENGTH(operations), "no such operation: %s", argv[1]);
    pid = fork_bound();
    if (pid == 0) {
        warm_up(operations[i].run);
        guarded_child(argv[2], operations[i].run);
        _exit(22);
    }
    status = reap(pid);
    msgctl(msgget(KEY, 0), IPC_RMID, NULL);
    shmctl(shmget(KEY, 0, 0), IPC_RMID, NULL);
    mq_unlink("/nosyscall");
    semctl(semget(KEY, 0, 0), 0, IPC_RMID);
    say("%s under %s: %s", argv[1], argv[2], status_text(status));
    if (WIFSIGNALED(status))
        return 21;
    return WEXITSTATUS(status);
}
