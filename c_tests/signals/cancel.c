/*
 * cancel KIND: threads that wait in a call are cancelled at random moments, while messages and tokens come
 * and go. Their cleanups run, what was sent is received once, what was not taken is there for the next, and
 * nobody is left in the line. Compiled as C with and without -fexceptions, and as C++.
 */
#include "ground.h"
#include <pthread.h>
#include <semaphore.h>

enum { THREADS = 4, NUMBERS = 1 << 20 };
enum kind { MSGRCV, MSGSND, MQ_RECEIVE, MQ_SEND, MQ_TIMED, SEM_WAIT, KINDS };
static const char *const kind_names[] = {"msgrcv", "msgsnd", "mq_receive", "mq_send", "mq_timedreceive", "sem_wait"};

struct message {
    long type;
    unsigned number;
};

static int kind, queue, stop;
static mqd_t mqd;
static sem_t *psem;
static unsigned next_number, taken, posted, cleanups, cancels;
static unsigned char sent[NUMBERS], got[NUMBERS];

#define ADD(variable) __atomic_add_fetch(&(variable), 1, __ATOMIC_SEQ_CST)
#define LOAD(variable) __atomic_load_n(&(variable), __ATOMIC_SEQ_CST)

static int sends(void) { return kind == MSGSND || kind == MQ_SEND; }

static unsigned new_number(void)
{
    unsigned number = __atomic_fetch_add(&next_number, 1, __ATOMIC_SEQ_CST);

    NEED(number < NUMBERS, "too many");
    sent[number] = 1;
    return number;
}

static void note(unsigned number)
{
    NEED(number < LOAD(next_number) && ADD(got[number]) == 1, "%u comes again", number);
    ADD(taken);
}

/* These three are the calls; whether one may be cancelled is up to who makes it. */
static int send_one(int flags)
{
    struct message message;
    struct timespec past = {1, 0};
    int result;

    message.type = 1;
    message.number = new_number();
    if (kind == MSGSND || kind == MSGRCV)
        result = msgsnd(queue, &message, sizeof message.number, flags);
    else if (flags == 0)
        result = mq_send(mqd, (char *)&message.number, sizeof message.number, 0);
    else
        result = mq_timedsend(mqd, (char *)&message.number, sizeof message.number, 0, &past);
    NEED(result == 0 || errno == EAGAIN || errno == ETIMEDOUT, "sending");
    if (result == 0)
        sent[message.number] = 2;
    return result;
}

static int receive_one(int flags)
{
    struct message message;
    struct timespec time = {flags ? 1 : 4000000000, 0};
    ssize_t bytes;

    if (kind == MSGSND || kind == MSGRCV)
        bytes = msgrcv(queue, &message, sizeof message.number, 0, flags);
    else if (flags == 0 && kind == MQ_RECEIVE)
        bytes = mq_receive(mqd, (char *)&message.number, sizeof message.number, NULL);
    else
        bytes = mq_timedreceive(mqd, (char *)&message.number, sizeof message.number, NULL, &time);
    NEED(bytes != -1 || errno == ENOMSG || errno == EAGAIN || errno == ETIMEDOUT, "receiving");
    if (bytes == -1)
        return -1;
    note(message.number);
    return 0;
}

static void clean_up(void *unused)
{
    (void)unused;
    ADD(cleanups);
}

static void call(void)
{
    if (kind == SEM_WAIT) {
        NEED(sem_wait(psem) == 0, "sem_wait");
        ADD(taken);
    } else if (sends()) {
        send_one(0);
    } else {
        receive_one(0);
    }
}

static void *waiter(void *unused)
{
    pthread_cleanup_push(clean_up, unused);
    for (;;)
        call();
    pthread_cleanup_pop(0);
    return unused;
}

static void counterpart(void)
{
    int value;

    if (kind != SEM_WAIT) {
        sends() ? receive_one(IPC_NOWAIT) : send_one(IPC_NOWAIT);
        return;
    }
    NEED(sem_getvalue(psem, &value) == 0, "sem_getvalue");
    if (value < 5) {
        posted++;
        NEED(sem_post(psem) == 0, "sem_post");
    }
}

/* What the waiters wait for, now and then. */
static void *feeder(void *unused)
{
    unsigned turn;

    for (turn = 0; !LOAD(stop); turn++) {
        counterpart();
        if (turn % 8 == 0)
            usleep(turn % 50);
    }
    return unused;
}

static int64_t span_ms(void)
{
    const char *mode = getenv("MODE");

    return mode && strcmp(mode, "soak") == 0 ? 10000 : 120;
}

static void cancel_all(void)
{
    int64_t end = now_ms() + span_ms();
    pthread_t thread[THREADS], feeding;
    unsigned random = 1;
    int i;

    for (i = 0; i < THREADS; i++)
        NEED(pthread_create(&thread[i], NULL, waiter, NULL) == 0, "pthread_create");
    NEED(pthread_create(&feeding, NULL, feeder, NULL) == 0, "pthread_create");
    while (now_ms() < end) {
        void *result;

        random = random * 1103515245U + 12345U;
        usleep(random >> 8 & 255);
        i = (int)(random >> 20) % THREADS;
        NEED(pthread_cancel(thread[i]) == 0 && pthread_join(thread[i], &result) == 0, "cancelling");
        NEED(result == PTHREAD_CANCELED, "it was not cancelled");
        cancels++;
        NEED(pthread_create(&thread[i], NULL, waiter, NULL) == 0, "pthread_create");
    }
    for (i = 0; i < THREADS; i++)
        NEED(pthread_cancel(thread[i]) == 0 && pthread_join(thread[i], NULL) == 0 && ++cancels, "cancelling");
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    NEED(pthread_join(feeding, NULL) == 0, "pthread_join");
}

/* One who waits now is served at once: no dead thread stands before him. */
static void check_next_is_served(void)
{
    pthread_t thread;
    unsigned number, before;
    int64_t begin;

    while (sends() && send_one(IPC_NOWAIT) == 0)
        ;
    NEED(pthread_create(&thread, NULL, waiter, NULL) == 0, "pthread_create");
    sleep_ms(20);
    number = LOAD(next_number) - 1;
    before = LOAD(taken);
    begin = now_ms();
    counterpart();
    while (sends() ? LOAD(sent[number]) != 2 : LOAD(taken) == before)
        NEED(now_ms() - begin < 5000, "the next is not served");
    NEED(pthread_cancel(thread) == 0 && pthread_join(thread, NULL) == 0 && ++cancels, "cancelling");
}

/* What the C library may lose: cancelled after the system call and before the return from it. */
static unsigned may_be_lost(void) { return getenv("USIPC_DIR") ? 0 : cancels; }

static void check(void)
{
    unsigned i, lost = 0, unsure = 0;
    int value;

    NEED(cleanups == cancels, "%u cleanups for %u cancellations", cleanups, cancels);
    if (kind == SEM_WAIT) {
        NEED(sem_getvalue(psem, &value) == 0 && posted - taken - (unsigned)value <= cancels, "%u posted, %u taken, %d left", posted, taken, value);
        return;
    }
    while (receive_one(IPC_NOWAIT) == 0)
        ;
    errno = 0;
    for (i = 0; i < next_number; i++) {
        lost += sent[i] == 2 && !got[i];
        unsure += sent[i] == 1 && got[i];
    }
    NEED(lost <= may_be_lost(), "%u messages were sent and not received", lost);
    NEED(unsure <= cancels, "%u messages of calls that did not return were sent", unsure);
    NEED(taken > 20, "only %u messages", taken);
}

int main(int argc, char **argv)
{
    struct mq_attr attr;

    memset(&attr, 0, sizeof attr);
    attr.mq_maxmsg = 4;
    attr.mq_msgsize = sizeof(unsigned);
    while (kind < KINDS && (argc < 2 || strcmp(argv[1], kind_names[kind]) != 0))
        kind++;
    NEED(kind < KINDS, "usage: cancel KIND");
    queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    mqd = mq_open("/cancel", O_CREAT | O_RDWR, 0600, &attr);
    psem = sem_open("/cancel", O_CREAT, 0600, 0);
    NEED(queue != -1 && mqd != (mqd_t)-1 && psem != SEM_FAILED, "the objects");
    {
        struct msqid_ds ds;

        NEED(msgctl(queue, IPC_STAT, &ds) == 0, "IPC_STAT");
        ds.msg_qbytes = 32;
        NEED(msgctl(queue, IPC_SET, &ds) == 0, "IPC_SET");
    }
    cancel_all();
    check_next_is_served();
    check();
    say("%s: %u cancelled, %u taken", kind_names[kind], cancels, taken);
    NEED(msgctl(queue, IPC_RMID, NULL) == 0 && mq_unlink("/cancel") == 0 && sem_unlink("/cancel") == 0, "removing");
    return 0;
}
