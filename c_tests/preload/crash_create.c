/*
 * crash_create: processes that make and remove queues are killed with SIGKILL at random moments.
 * Afterwards every key and name can be used, and nothing is left that no key or name leads to.
 */
#include "ground.h"

enum { WORKERS = 4, KEYS = 3, KEY = 0xdead };

static const char *const NAMES[KEYS] = {"/dead-a", "/dead-b", "/dead-c"};

static void step(unsigned random)
{
    int i = (int)(random % KEYS), id;
    mqd_t mqd;

    id = msgget(KEY + i, IPC_CREAT | 0600 | (random & 16 ? IPC_EXCL : 0));
    if (id != -1) {
        if (random & 32)
            put_text(id, 1, "left in the queue", IPC_NOWAIT);
        if (random & 64)
            msgctl(id, IPC_RMID, NULL);
    }
    mqd = small_queue(NAMES[i], O_RDWR | O_NONBLOCK | (random & 128 ? O_EXCL : 0), 0600);
    if (mqd != (mqd_t)-1) {
        mq_send(mqd, "left", 4, 0);
        if (random & 256)
            mq_unlink(NAMES[i]);
        mq_close(mqd);
    }
}

static pid_t worker(unsigned seed)
{
    pid_t pid = fork_bound();

    if (pid)
        return pid;
    for (;;) {
        seed = seed * 1103515245U + 12345U;
        step(seed >> 11);
    }
}

static void check_keys(void)
{
    int i;

    for (i = 0; i < KEYS; i++) {
        int id = msgget(KEY + i, IPC_CREAT | 0600);
        mqd_t mqd = small_queue(NAMES[i], O_RDWR | O_NONBLOCK, 0600);
        char text[TEXT_BYTES];

        NEED(id != -1 && mqd != (mqd_t)-1, "key or name number %d", i);
        while (mq_receive(mqd, text, sizeof text, NULL) != -1)
            ;
        NEED(errno == EAGAIN && mq_send(mqd, "works", 5, 0) == 0, "the queue %s", NAMES[i]);
        while (msgrcv(id, text, sizeof text - sizeof(long), 0, IPC_NOWAIT) != -1)
            ;
        NEED(errno == ENOMSG && put_text(id, 1, "works", 0) == 0, "the queue of key %x", (unsigned)(KEY + i));
        NEED(msgctl(id, IPC_RMID, NULL) == 0 && mq_unlink(NAMES[i]) == 0, "removing");
        NEED(msgget(KEY + i, 0) == -1 && errno == ENOENT, "the removed key");
    }
}

int main(void)
{
    const char *mode = getenv("MODE");
    int k, kills = mode && strcmp(mode, "soak") == 0 ? 5000 : 300;
    unsigned random = 77;
    pid_t pid[WORKERS];

    for (k = 0; k < WORKERS; k++)
        pid[k] = worker((unsigned)k);
    for (k = 0; k < kills; k++) {
        struct timespec delay = {0, 0};
        int i;

        random = random * 1103515245U + 12345U;
        delay.tv_nsec = random % 3000000;
        nanosleep(&delay, NULL);
        i = (int)(random >> 16) % WORKERS;
        kill(pid[i], SIGKILL);
        NEED(WIFSIGNALED(reap(pid[i])), "a worker had ended by itself");
        pid[i] = worker(random);
    }
    for (k = 0; k < WORKERS; k++) {
        kill(pid[k], SIGKILL);
        reap(pid[k]);
    }
    check_keys();
    /* What a dead creator left without a key lies there until somebody looks at all queues: MSG_INFO does. */
    NEED(queues_in_use() == 0, "%d queues counted that are not there", queues_in_use());
    NEED(namespace_entries("keys") + namespace_entries("msg") + namespace_entries("mq") == 0, "the directory is not empty");
    return 0;
}
