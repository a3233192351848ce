/*
 * races MODE: many processes make and remove the same queues at once. Checks itself; nothing may be left
 * behind, neither by the count of the calls nor, on usipc, in the directory.
 */
#include "ground.h"

enum { CONTENDERS = 50, ROUNDS = 20, STORMERS = 8, KEY = 0xace, KEYS = 4 };

struct shared {
    int go;
    int ready;
    int stop;
    int won[CONTENDERS];
    int id[CONTENDERS];
    int number[CONTENDERS]; /* errno */
    long made[STORMERS];
    long removed[STORMERS];
};

static struct shared *shared;

static int64_t storm_ms(void)
{
    const char *mode = getenv("MODE");

    return mode && strcmp(mode, "soak") == 0 ? 60000 : 3000;
}

static void at_the_line(void)
{
    __atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&shared->go, __ATOMIC_SEQ_CST))
        sleep_ms(0);
}

/* All children start their call at the same moment; body(i) tells how it went. */
static void contend(void (*body)(int))
{
    pid_t pid[CONTENDERS];
    int i;

    shared->go = shared->ready = 0;
    for (i = 0; i < CONTENDERS; i++) {
        pid[i] = fork_bound();
        if (pid[i] == 0) {
            at_the_line();
            body(i);
            _exit(0);
        }
    }
    while (__atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST) != CONTENDERS)
        sleep_ms(1);
    __atomic_store_n(&shared->go, 1, __ATOMIC_SEQ_CST);
    for (i = 0; i < CONTENDERS; i++)
        reap_well(pid[i], "a contender");
}

static void get_exclusive(int i)
{
    shared->id[i] = msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);
    shared->number[i] = errno;
}

static void get_any(int i)
{
    shared->id[i] = msgget(KEY, IPC_CREAT | 0600);
    shared->number[i] = errno;
    /* Whoever has it can use it at once: it was never half-made. */
    if (shared->id[i] != -1 && put_text(shared->id[i], 1 + i, "here", 0) == -1)
        shared->id[i] = -2;
}

static int mode_exclusive(void)
{
    int round, i;

    for (round = 0; round < ROUNDS; round++) {
        int winners = 0, id = -1;

        contend(get_exclusive);
        for (i = 0; i < CONTENDERS; i++)
            if (shared->id[i] != -1) {
                winners++;
                id = shared->id[i];
            } else {
                NEED(shared->number[i] == EEXIST, "a loser's errno is %s", errno_name(shared->number[i]));
            }
        NEED(winners == 1, "%d of %d were told that they made the queue", winners, CONTENDERS);
        NEED(msgget(KEY, 0) == id && msgctl(id, IPC_RMID, NULL) == 0, "the winner's queue");
    }
    NEED(queues_in_use() == 0, "%d queues left", queues_in_use());
    NEED(namespace_entries("keys") + namespace_entries("msg") == 0, "the directory is not empty");
    return 0;
}

static int mode_shared(void)
{
    int round, i;

    for (round = 0; round < ROUNDS; round++) {
        struct text_message message;
        int seen = 0;

        contend(get_any);
        for (i = 0; i < CONTENDERS; i++)
            NEED(shared->id[i] >= 0 && shared->id[i] == shared->id[0], "process %d has id %d, process 0 %d, errno %s",
                 i, shared->id[i], shared->id[0], errno_name(shared->number[i]));
        while (msgrcv(shared->id[0], &message, sizeof message.text, 0, IPC_NOWAIT) == 4)
            seen++;
        NEED(seen == CONTENDERS, "%d messages of %d", seen, CONTENDERS);
        NEED(msgctl(shared->id[0], IPC_RMID, NULL) == 0 && queues_in_use() == 0, "IPC_RMID");
    }
    NEED(namespace_entries("keys") + namespace_entries("msg") == 0, "the directory is not empty");
    return 0;
}

static void open_exclusive(int i)
{
    mqd_t mqd = small_queue("/race", O_RDWR | O_EXCL | O_NONBLOCK, 0600);

    shared->won[i] = mqd != (mqd_t)-1;
    shared->number[i] = errno;
    mqd = mqd != (mqd_t)-1 ? mqd : mq_open("/race", O_RDWR | O_NONBLOCK);
    /* Made or found, it is whole; eight fit. */
    if (mqd == (mqd_t)-1 || (mq_send(mqd, "here", 4, 0) == -1 && errno != EAGAIN))
        shared->number[i] = -errno;
}

static int mode_mq_exclusive(void)
{
    int round, i;

    for (round = 0; round < ROUNDS; round++) {
        struct mq_attr attr;
        mqd_t mqd;
        int winners = 0;

        contend(open_exclusive);
        for (i = 0; i < CONTENDERS; i++) {
            winners += shared->won[i];
            NEED(shared->number[i] >= 0, "process %d got %s", i, errno_name(-shared->number[i]));
            NEED(shared->won[i] || shared->number[i] == EEXIST, "a loser's errno is %s", errno_name(shared->number[i]));
        }
        NEED(winners == 1, "%d of %d were told that they made the queue", winners, CONTENDERS);
        mqd = mq_open("/race", O_RDONLY);
        NEED(mqd != (mqd_t)-1 && mq_getattr(mqd, &attr) == 0 && attr.mq_curmsgs == attr.mq_maxmsg, "the queue");
        NEED(mq_close(mqd) == 0 && mq_unlink("/race") == 0, "mq_unlink");
    }
    NEED(namespace_entries("mq") == 0, "the directory is not empty");
    return 0;
}

/* The calls' errors that are fair in a storm; anything else is a fault of the library. */
static void fair(int failed, const char *call, int a, int b, int c)
{
    if (failed)
        NEED(errno == a || errno == b || errno == c, "%s in the storm", call);
}

static void storm_msg(int who, unsigned random)
{
    key_t key = KEY + (key_t)(random % KEYS);
    int flags = random & 64 ? IPC_CREAT | IPC_EXCL | 0600 : random & 32 ? IPC_CREAT | 0600 : 0;
    int id = msgget(key, flags);
    struct text_message message;

    fair(id == -1, "msgget", EEXIST, ENOENT, ENOENT);
    if (id == -1)
        return;
    shared->made[who] += (flags & IPC_EXCL) != 0;
    fair(put_text(id, 1, "storm", IPC_NOWAIT) == -1, "msgsnd", EINVAL, EIDRM, EAGAIN);
    fair(msgrcv(id, &message, sizeof message.text, 0, IPC_NOWAIT) == -1, "msgrcv", EINVAL, EIDRM, ENOMSG);
    if (random & 128) {
        int removed = msgctl(id, IPC_RMID, NULL);

        fair(removed == -1, "IPC_RMID", EINVAL, EIDRM, EIDRM);
        shared->removed[who] += removed == 0;
    }
}

static void storm_mq(int who, unsigned random)
{
    static const char *const names[KEYS] = {"/storm-a", "/storm-b", "/storm-c", "/storm-d"};
    const char *name = names[random % KEYS];
    int flags = O_RDWR | O_NONBLOCK | (random & 64 ? O_CREAT | O_EXCL : random & 32 ? O_CREAT : 0);
    struct mq_attr attr = {.mq_maxmsg = 2 + random % 5, .mq_msgsize = TEXT_BYTES};
    mqd_t mqd = mq_open(name, flags, 0600, &attr);
    char text[TEXT_BYTES];

    fair(mqd == (mqd_t)-1, "mq_open", EEXIST, ENOENT, ENOENT);
    if (mqd == (mqd_t)-1)
        return;
    shared->made[who] += (flags & O_EXCL) != 0;
    fair(mq_send(mqd, "storm", 5, random % 9) == -1, "mq_send", EAGAIN, EAGAIN, EAGAIN);
    fair(mq_receive(mqd, text, sizeof text, NULL) == -1, "mq_receive", EAGAIN, EAGAIN, EAGAIN);
    if (random & 128) {
        int removed = mq_unlink(name);

        fair(removed == -1, "mq_unlink", ENOENT, ENOENT, ENOENT);
        shared->removed[who] += removed == 0;
    }
    NEED(mq_close(mqd) == 0, "mq_close");
}

static int storm(void (*step)(int, unsigned))
{
    int64_t end = now_ms() + storm_ms();
    pid_t pid[STORMERS];
    long made = 0, removed = 0;
    int i;

    for (i = 0; i < STORMERS; i++) {
        pid[i] = fork_bound();
        if (pid[i] == 0) {
            unsigned random = 2654435761U * (unsigned)(i + 1);

            while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) {
                random = random * 1103515245U + 12345U;
                step(i, random >> 13);
            }
            _exit(0);
        }
    }
    while (now_ms() < end)
        sleep_ms(20);
    __atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
    for (i = 0; i < STORMERS; i++) {
        reap_well(pid[i], "a process of the storm");
        made += shared->made[i];
        removed += shared->removed[i];
    }
    say("the storm made %ld exclusively and removed %ld", made, removed);
    NEED(made > 100 && removed > 100, "that was no storm");
    return 0;
}

static int mode_storm_msg(void)
{
    int i;

    storm(storm_msg);
    for (i = 0; i < KEYS; i++) {
        int id = msgget(KEY + i, 0);

        NEED(id != -1 || errno == ENOENT, "msgget after the storm");
        NEED(id == -1 || msgctl(id, IPC_RMID, NULL) == 0, "IPC_RMID after the storm");
        NEED(msgget(KEY + i, 0) == -1 && errno == ENOENT, "the key of a removed queue");
        id = msgget(KEY + i, IPC_CREAT | IPC_EXCL | 0600);
        NEED(id != -1 && msgctl(id, IPC_RMID, NULL) == 0, "the key works on");
    }
    /* The directory first: a queue that is counted but not there is another fault than one that is. */
    NEED(namespace_entries("keys") + namespace_entries("msg") == 0, "the directory is not empty");
    NEED(queues_in_use() == 0, "%d queues counted that are not there", queues_in_use());
    return 0;
}

static int mode_storm_mq(void)
{
    static const char *const names[KEYS] = {"/storm-a", "/storm-b", "/storm-c", "/storm-d"};
    int i;

    storm(storm_mq);
    for (i = 0; i < KEYS; i++) {
        mqd_t mqd;

        NEED(mq_unlink(names[i]) == 0 || errno == ENOENT, "mq_unlink after the storm");
        mqd = small_queue(names[i], O_RDWR | O_EXCL, 0600);
        NEED(mqd != (mqd_t)-1 && mq_close(mqd) == 0 && mq_unlink(names[i]) == 0, "the name works on");
    }
    NEED(namespace_entries("mq") == 0, "the directory is not empty");
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {
        {"exclusive", mode_exclusive},   {"shared", mode_shared},       {"mq-exclusive", mode_mq_exclusive},
        {"storm-msg", mode_storm_msg},   {"storm-mq", mode_storm_mq},
    };

    shared = shared_memory(sizeof *shared);
    return run_mode(modes, LENGTH(modes), argc > 1 ? argv[1] : NULL);
}
