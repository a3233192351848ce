/*
 * crash KIND [orphans]: workers on one queue are killed with SIGKILL at random moments, in the midst of
 * sending, receiving and waiting. Afterwards every message whose send returned has been received exactly
 * once, save at most one for every receiver killed (it may have been killed between the call's return
 * and the note it takes), nothing is torn, and the queue holds as much as a fresh one.
 *
 * With `orphans` each worker first makes a child that does nothing and outlives it: a dead worker's locks
 * and waits must not be taken for alive on its child's account.
 */
#include "ground.h"
#include <sys/time.h>

enum { SENDERS = 2, RECEIVERS = 2, WORKERS = SENDERS + RECEIVERS, MESSAGES = 64 << 20, BODY_MAX = 1500 };
enum { INTENDED = 1, RETURNED = 2 };

struct shared {
    unsigned next; /* number of the next message */
    int stop_sending;
    int stop;
    unsigned torn; /* number + 1 of a message whose content was wrong */
    unsigned char sent[MESSAGES];
    unsigned char got[MESSAGES];
};

struct body {
    unsigned number;
    unsigned char fill[BODY_MAX];
};

struct message {
    long type;
    struct body body;
};

static struct shared *shared;
static int orphans, posix, queue;
static mqd_t mqd;
static pid_t main_pid;

static int kills(void)
{
    const char *mode = getenv("MODE");

    return mode && strcmp(mode, "soak") == 0 ? 5000 : 200;
}

static size_t body_bytes(unsigned number) { return sizeof(unsigned) + number * 7919U % BODY_MAX; }

static unsigned char fill_of(unsigned number) { return (unsigned char)(number * 31U + 7U); }

static int send_one(struct message *message)
{
    unsigned number = message->body.number;
    size_t bytes = body_bytes(number);

    memset(message->body.fill, fill_of(number), bytes - sizeof number);
    if (posix)
        return mq_send(mqd, (char *)&message->body, bytes, number % 5);
    message->type = 1 + number % 5;
    return msgsnd(queue, message, bytes, 0);
}

/* Notes what was received. */
static void note(const struct message *message, ssize_t bytes)
{
    unsigned number = message->body.number;
    ssize_t i;

    if (number >= MESSAGES || bytes != (ssize_t)body_bytes(number)) {
        shared->torn = 1 + number;
        return;
    }
    /* First of all, so that a kill seldom comes in between. */
    __atomic_add_fetch(&shared->got[number], 1, __ATOMIC_SEQ_CST);
    for (i = 0; i < bytes - (ssize_t)sizeof number; i++)
        if (message->body.fill[i] != fill_of(number))
            shared->torn = 1 + number;
}

/* Waits up to about a tenth of a second, so that an empty queue's receiver sees when it is to stop. */
static ssize_t receive_one(struct message *message)
{
    struct timespec soon;
    ssize_t bytes;

    if (!posix) {
        static const long wanted[] = {0, 3, -4, -5};
        static unsigned turn;

        bytes = msgrcv(queue, message, sizeof message->body, wanted[turn++ % LENGTH(wanted)], IPC_NOWAIT);
        /* The timer ends the wait. */
        if (bytes == -1 && errno == ENOMSG)
            bytes = msgrcv(queue, message, sizeof message->body, 0,
                           __atomic_load_n(&shared->stop, __ATOMIC_SEQ_CST) ? IPC_NOWAIT : 0);
        return bytes;
    }
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 100000000;
    if (soon.tv_nsec >= 1000000000) {
        soon.tv_sec++;
        soon.tv_nsec -= 1000000000;
    }
    return mq_timedreceive(mqd, (char *)&message->body, sizeof message->body, NULL, &soon);
}

static void sender(void)
{
    static struct message message;

    while (!__atomic_load_n(&shared->stop_sending, __ATOMIC_SEQ_CST)) {
        unsigned number = __atomic_fetch_add(&shared->next, 1, __ATOMIC_SEQ_CST);

        if (number >= MESSAGES)
            break;
        message.body.number = number;
        shared->sent[number] = INTENDED;
        NEED(send_one(&message) == 0, "sending");
        shared->sent[number] = RETURNED;
    }
}

static void receiver(void)
{
    static struct message message;

    for (;;) {
        ssize_t bytes = receive_one(&message);

        if (bytes >= 0)
            note(&message, bytes);
        else
            NEED(errno == EINTR || errno == ENOMSG || errno == ETIMEDOUT, "receiving");
        if (bytes < 0 && __atomic_load_n(&shared->stop, __ATOMIC_SEQ_CST))
            return;
    }
}

static void nothing(int signal_number) { (void)signal_number; }

/* Ten times a second a signal that only ends what waits. */
static void tick(void)
{
    struct sigaction action = {.sa_handler = nothing};
    struct itimerval tenth = {{0, 100000}, {0, 100000}};

    NEED(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &tenth, NULL) == 0, "setitimer");
}

/* A worker's child that outlives it by half a second and does nothing. */
static void leave_orphan(void)
{
    pid_t parent = getpid(), pid = fork();
    int waits = 0;

    NEED(pid != -1, "fork");
    if (pid)
        return;
    while (!__atomic_load_n(&shared->stop, __ATOMIC_SEQ_CST) && kill(main_pid, 0) == 0 && waits < 25) {
        sleep_ms(20);
        waits += getppid() != parent;
    }
    _exit(0);
}

static pid_t worker(int i)
{
    pid_t pid = fork_bound();

    if (pid)
        return pid;
    if (orphans)
        leave_orphan();
    if (i < SENDERS) {
        sender();
    } else {
        tick();
        receiver();
    }
    _exit(0);
}

static int drain(void)
{
    static struct message message;
    ssize_t bytes;
    int drained = 0;

    shared->stop = 1;
    while ((bytes = receive_one(&message)) >= 0) {
        note(&message, bytes);
        drained++;
    }
    NEED(errno == ENOMSG || errno == ETIMEDOUT, "draining");
    return drained;
}

/* What fits into the queue, in messages of `bytes` bytes; it is empty before and after. */
static int capacity(int id, mqd_t fresh_mqd, size_t bytes)
{
    static struct message message;
    int count = 0;

    message.type = 1;
    if (posix) {
        struct mq_attr attr = {.mq_flags = O_NONBLOCK};

        NEED(mq_setattr(fresh_mqd, &attr, NULL) == 0, "mq_setattr");
        while (mq_send(fresh_mqd, (char *)&message.body, bytes, 0) == 0)
            count++;
        NEED(errno == EAGAIN, "filling");
        while (mq_receive(fresh_mqd, (char *)&message.body, sizeof message.body, NULL) != -1)
            ;
        return count;
    }
    while (msgsnd(id, &message, bytes, IPC_NOWAIT) == 0)
        count++;
    NEED(errno == EAGAIN, "filling");
    while (msgrcv(id, &message, bytes, 0, IPC_NOWAIT) != -1)
        ;
    return count;
}

static mqd_t open_mq(const char *name)
{
    struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = sizeof(struct body)};

    return mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
}

static void check_capacity(void)
{
    static const size_t sizes[] = {1500, 100, 1};
    int fresh = posix ? 0 : msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    mqd_t fresh_mqd = posix ? open_mq("/crash-fresh") : 0;
    size_t i;

    NEED(fresh != -1 && fresh_mqd != (mqd_t)-1, "a fresh queue");
    for (i = 0; i < LENGTH(sizes); i++) {
        int have = capacity(queue, mqd, sizes[i]), want = capacity(fresh, fresh_mqd, sizes[i]);

        errno = 0;
        NEED(have == want, "%d messages of %zu bytes fit, %d into a fresh queue", have, sizes[i], want);
    }
    if (posix) {
        NEED(mq_unlink("/crash-fresh") == 0, "mq_unlink");
    } else {
        struct msqid_ds ds;

        NEED(msgctl(queue, IPC_STAT, &ds) == 0 && ds.msg_qnum == 0 && ds.msg_cbytes == 0,
             "an empty queue has %lu messages, %lu bytes", (unsigned long)ds.msg_qnum, (unsigned long)ds.msg_cbytes);
        NEED(msgctl(fresh, IPC_RMID, NULL) == 0, "IPC_RMID");
    }
}

static void check_messages(int receivers_killed)
{
    unsigned i, last = shared->next < MESSAGES ? shared->next : MESSAGES, lost = 0, returned = 0;

    errno = 0;
    NEED(!shared->torn, "message %u is torn", shared->torn - 1);
    for (i = 0; i < last; i++) {
        NEED(shared->got[i] <= 1, "message %u was received %d times", i, shared->got[i]);
        NEED(!shared->got[i] || shared->sent[i], "message %u was never sent", i);
        returned += shared->sent[i] == RETURNED;
        lost += shared->sent[i] == RETURNED && !shared->got[i];
    }
    NEED(lost <= (unsigned)receivers_killed, "%u messages lost, %d receivers killed", lost, receivers_killed);
    NEED(returned > 1000, "only %u messages were sent", returned);
    say("%u sent, %u lost with %d killed receivers", returned, lost, receivers_killed);
}

int main(int argc, char **argv)
{
    pid_t pid[WORKERS];
    int i, k, receivers_killed = 0;
    unsigned random = 20;

    NEED(argc >= 2, "usage: crash msg|mq [orphans]");
    posix = strcmp(argv[1], "mq") == 0;
    orphans = argc > 2;
    main_pid = getpid();
    shared = shared_memory(sizeof *shared);
    queue = posix ? 0 : msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    mqd = posix ? open_mq("/crash") : 0;
    NEED(queue != -1 && mqd != (mqd_t)-1, "making the queue");
    for (i = 0; i < WORKERS; i++)
        pid[i] = worker(i);
    for (k = 0; k < kills(); k++) {
        struct timespec delay = {0, 0};

        random = random * 1103515245U + 12345U;
        delay.tv_nsec = random % 4000000;
        nanosleep(&delay, NULL);
        i = (int)(random >> 16) % WORKERS;
        kill(pid[i], SIGKILL);
        NEED(WIFSIGNALED(reap(pid[i])), "a worker had ended before it was killed");
        receivers_killed += i >= SENDERS;
        pid[i] = worker(i);
    }
    __atomic_store_n(&shared->stop_sending, 1, __ATOMIC_SEQ_CST);
    for (i = 0; i < SENDERS; i++)
        reap_well(pid[i], "a sender");
    __atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
    for (; i < WORKERS; i++)
        reap_well(pid[i], "a receiver");
    drain();
    check_messages(receivers_killed);
    check_capacity();
    NEED(posix ? mq_unlink("/crash") == 0 : msgctl(queue, IPC_RMID, NULL) == 0, "removing");
    return 0;
}
