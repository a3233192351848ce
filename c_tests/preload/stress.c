/*
 * stress KIND WORKERS: four senders and four receivers, 200,000 messages through one queue. Every message
 * arrives once, and each receiver sees the messages of one sender and one type (priority) in their order.
 * KIND: exact, any, negative (how System V receivers choose), mq. WORKERS: processes, threads.
 */
#include "ground.h"
#include <pthread.h>

enum { SENDERS = 4, RECEIVERS = 4, TYPES = 4, PILL = -1 };
enum kind { EXACT, ANY, NEGATIVE, MQ };

struct body {
    int sender; /* PILL: the receiver may go */
    int number;
    unsigned char fill[48];
};

struct message {
    long type;
    struct body body;
};

struct tally {
    long count;
    long long sum;
};

static enum kind kind;
static int queue, per_sender = 50000;
static mqd_t mqd;
static struct tally *tally;

static size_t body_bytes(int number) { return 2 * sizeof(int) + (unsigned)number % 48; }

static void send_body(struct message *message, long type)
{
    size_t bytes = body_bytes(message->body.number);
    int sent;

    if (kind == MQ) {
        sent = mq_send(mqd, (char *)&message->body, bytes, (unsigned)type);
    } else {
        message->type = type;
        sent = msgsnd(queue, message, bytes, 0);
    }
    NEED(sent == 0, "sending message %d of sender %d", message->body.number, message->body.sender);
}

static long receive_body(struct message *message, int receiver, ssize_t *bytes)
{
    static const long choice[] = {[ANY] = 0, [NEGATIVE] = -TYPES};
    unsigned priority;

    if (kind == MQ) {
        *bytes = mq_receive(mqd, (char *)&message->body, sizeof message->body, &priority);
        message->type = (long)priority;
    } else {
        *bytes = msgrcv(queue, message, sizeof message->body, kind == EXACT ? receiver + 1 : choice[kind], 0);
    }
    NEED(*bytes != -1, "receiver %d", receiver);
    return message->type;
}

static void *send_all(void *argument)
{
    struct message message;
    int i;

    message.body.sender = (int)(intptr_t)argument;
    for (i = 0; i < per_sender; i++) {
        message.body.number = i;
        memset(message.body.fill, i & 255, sizeof message.body.fill);
        send_body(&message, 1 + i % TYPES);
    }
    return NULL;
}

static void check_body(const struct message *message, long type, ssize_t bytes, int last[SENDERS][TYPES])
{
    const struct body *body = &message->body;
    size_t i;

    errno = 0;
    NEED(body->sender >= 0 && body->sender < SENDERS && type == 1 + body->number % TYPES, "sender %d number %d type %ld",
         body->sender, body->number, type);
    NEED(bytes == (ssize_t)body_bytes(body->number), "%zd bytes", bytes);
    for (i = 0; i < (size_t)bytes - 2 * sizeof(int); i++)
        NEED(body->fill[i] == (body->number & 255), "sender %d number %d is torn", body->sender, body->number);
    NEED(body->number > last[body->sender][type - 1], "sender %d type %ld: %d after %d", body->sender, type, body->number,
         last[body->sender][type - 1]);
    last[body->sender][type - 1] = body->number;
}

static void *receive_all(void *argument)
{
    int receiver = (int)(intptr_t)argument, last[SENDERS][TYPES];
    struct message message;

    memset(last, -1, sizeof last);
    for (;;) {
        ssize_t bytes;
        long type = receive_body(&message, receiver, &bytes);

        if (message.body.sender == PILL)
            return NULL;
        check_body(&message, type, bytes, last);
        tally[receiver].count++;
        tally[receiver].sum += message.body.number;
    }
}

struct worker {
    pid_t pid;
    pthread_t thread;
};

static void begin(struct worker *worker, int threads, void *(*body)(void *), int i)
{
    if (threads) {
        NEED(pthread_create(&worker->thread, NULL, body, (void *)(intptr_t)i) == 0, "pthread_create");
        return;
    }
    worker->pid = fork_bound();
    if (worker->pid == 0) {
        body((void *)(intptr_t)i);
        _exit(0);
    }
}

static void end(struct worker *worker, int threads)
{
    if (threads)
        pthread_join(worker->thread, NULL);
    else
        reap_well(worker->pid, "a worker");
}

/* The last messages, one for each receiver. */
static void send_pills(void)
{
    struct message message = {.body = {.sender = PILL, .number = 0}};
    int i;

    for (i = 0; i < RECEIVERS; i++)
        send_body(&message, kind == EXACT ? i + 1 : kind == MQ ? 0 : TYPES);
}

static void check_all(void)
{
    long count = 0;
    long long sum = 0, want = (long long)SENDERS * per_sender * (per_sender - 1) / 2;
    int i;

    for (i = 0; i < RECEIVERS; i++) {
        count += tally[i].count;
        sum += tally[i].sum;
    }
    errno = 0;
    NEED(count == (long)SENDERS * per_sender && sum == want, "%ld messages with sum %lld", count, sum);
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = {[EXACT] = "exact", [ANY] = "any", [NEGATIVE] = "negative", [MQ] = "mq"};
    struct worker sender[SENDERS], receiver[RECEIVERS];
    const char *mode = getenv("MODE");
    int i, threads;

    NEED(argc == 3, "usage: stress KIND processes|threads");
    for (kind = EXACT; kind < MQ && strcmp(kinds[kind], argv[1]) != 0; kind++)
        ;
    threads = strcmp(argv[2], "threads") == 0;
    if (mode && strcmp(mode, "soak") == 0)
        per_sender *= 20;
    tally = shared_memory(RECEIVERS * sizeof *tally);
    if (kind == MQ) {
        struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = sizeof(struct body)};

        mqd = mq_open("/stress", O_CREAT | O_RDWR, 0600, &attr);
        NEED(mqd != (mqd_t)-1, "mq_open");
    } else {
        queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
        NEED(queue != -1, "msgget");
    }
    for (i = 0; i < RECEIVERS; i++)
        begin(&receiver[i], threads, receive_all, i);
    for (i = 0; i < SENDERS; i++)
        begin(&sender[i], threads, send_all, i);
    for (i = 0; i < SENDERS; i++)
        end(&sender[i], threads);
    send_pills();
    for (i = 0; i < RECEIVERS; i++)
        end(&receiver[i], threads);
    check_all();
    NEED(kind == MQ ? mq_unlink("/stress") == 0 : msgctl(queue, IPC_RMID, NULL) == 0, "removing");
    return 0;
}
