/* ids MODE: what identifiers and keys promise. Says the same on the kernel and on usipc; no id is said. */
#include "ground.h"

enum { KEY = 0x1d5, CYCLES = 10000 };

static int compare(const void *a, const void *b)
{
    int left = *(const int *)a, right = *(const int *)b;

    return (left > right) - (left < right);
}

/* Makes and removes a queue many times over: identifiers do not come back, stale ones are EINVAL. */
static int cycles(key_t key)
{
    static int id[CYCLES];
    int i, distinct = 1, negative = 0, last;

    for (i = 0; i < CYCLES; i++) {
        id[i] = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
        NEED(id[i] != -1, "msgget number %d", i);
        negative += id[i] < 0;
        NEED(put_text(id[i], 1, "x", 0) == 0, "msgsnd to queue number %d", i);
        NEED(msgctl(id[i], IPC_RMID, NULL) == 0, "IPC_RMID number %d", i);
    }
    /* One that lives in the place of many dead ones. */
    last = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
    NEED(last != -1, "msgget");
    for (i = 0; i < CYCLES; i++) {
        struct msqid_ds ds;
        char text[TEXT_BYTES + sizeof(long)];

        NEED(id[i] != last, "id of queue number %d came back", i);
        NEED(put_text(id[i], 1, "x", IPC_NOWAIT) == -1 && errno == EINVAL, "msgsnd to stale id number %d", i);
        NEED(msgrcv(id[i], text, TEXT_BYTES, 0, IPC_NOWAIT) == -1 && errno == EINVAL, "msgrcv, stale id number %d", i);
        NEED(msgctl(id[i], IPC_STAT, &ds) == -1 && errno == EINVAL, "IPC_STAT, stale id number %d", i);
        NEED(msgctl(id[i], IPC_RMID, NULL) == -1 && errno == EINVAL, "IPC_RMID, stale id number %d", i);
    }
    say_msgrcv("the living one", last, 0, IPC_NOWAIT);
    NEED(msgctl(last, IPC_RMID, NULL) == 0, "IPC_RMID");
    qsort(id, CYCLES, sizeof id[0], compare);
    for (i = 1; i < CYCLES; i++)
        distinct += id[i] != id[i - 1];
    say("%d distinct, %d negative, %d queues left", distinct, negative, queues_in_use());
    return 0;
}

static int mode_cycles(void) { return cycles(KEY); }
static int mode_cycles_private(void) { return cycles(IPC_PRIVATE); }

/* Each cycle in a process of its own: the sequence is not the process's. */
static int make_and_remove(void *id)
{
    int made = msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);

    *(int *)id = made;
    return made != -1 && msgctl(made, IPC_RMID, NULL) == 0 ? 0 : 1;
}

static int mode_cycles_processes(void)
{
    enum { PROCESSES = 300 };
    int *id = shared_memory(PROCESSES * sizeof *id), i, distinct = 1;

    for (i = 0; i < PROCESSES; i++)
        reap_well(start(make_and_remove, &id[i]), "a short process");
    qsort(id, PROCESSES, sizeof id[0], compare);
    for (i = 1; i < PROCESSES; i++)
        distinct += id[i] != id[i - 1];
    say("%d processes, %d distinct identifiers", PROCESSES, distinct);
    return 0;
}

static const char *given; /* an identifier from the command line */

/* The whole interface through an identifier alone, in a process that never called msgget. */
static int mode_by_id(void)
{
    struct msqid_ds ds;
    int id;

    if (!given) {
        char number[16];

        id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
        NEED(id != -1 && put_text(id, 4, "for the next program", 0) == 0, "msgsnd");
        snprintf(number, sizeof number, "%d", id);
        execl("/proc/self/exe", "ids", "by-id", number, (char *)NULL);
        return 3;
    }
    id = atoi(given);
    say("IPC_STAT %s", outcome(msgctl(id, IPC_STAT, &ds)));
    say("%lu messages, mode %o", (unsigned long)ds.msg_qnum, ds.msg_perm.mode);
    say_msgrcv("by id", id, 0, IPC_NOWAIT);
    say("msgsnd %s", outcome(put_text(id, 9, "back", 0)));
    say_msgrcv("by id", id, -9, IPC_NOWAIT);
    ds.msg_qbytes = 100;
    say("IPC_SET %s", outcome(msgctl(id, IPC_SET, &ds)));
    say("IPC_RMID %s", outcome(msgctl(id, IPC_RMID, NULL)));
    say("msgsnd %s", outcome(put_text(id, 9, "late", 0)));
    return 0;
}

/* Identifiers that nobody ever gave out. */
static int mode_foreign(void)
{
    static const int offset[] = {1, 2, 7, 31, 0x7fff, 0x8000, 0x10000, 0x100000, 0x40000000};
    static const int strange[] = {-1, -2, INT32_MIN, INT32_MAX, INT32_MAX - 0x7fff};
    int made = msgget(KEY, IPC_CREAT | 0600);
    size_t i;

    NEED(made != -1, "msgget");
    for (i = 0; i < LENGTH(offset); i++)
        say("id ^ %#x: msgsnd %s, msgrcv %s, IPC_RMID %s", offset[i], outcome(put_text(made ^ offset[i], 1, "x", 0)),
            outcome(msgrcv(made ^ offset[i], &(struct text_message){0}, 8, 0, IPC_NOWAIT)),
            outcome(msgctl(made ^ offset[i], IPC_RMID, NULL)));
    for (i = 0; i < LENGTH(strange); i++)
        say("id %d: msgsnd %s, msgrcv %s, IPC_STAT %s, IPC_RMID %s", strange[i],
            outcome(put_text(strange[i], 1, "x", 0)),
            outcome(msgrcv(strange[i], &(struct text_message){0}, 8, 0, IPC_NOWAIT)),
            outcome(msgctl(strange[i], IPC_STAT, &(struct msqid_ds){0})), outcome(msgctl(strange[i], IPC_RMID, NULL)));
    say("the real one: IPC_RMID %s", outcome(msgctl(made, IPC_RMID, NULL)));
    return 0;
}

/* Private queues are each their own; every other key is one queue, the odd values too. */
static int mode_keys(void)
{
    static const key_t keys[] = {1, -1, INT32_MAX, INT32_MIN, 0x7f000000, -2, 0x00010000};
    int id[LENGTH(keys)], first = msgget(IPC_PRIVATE, 0600), second = msgget(IPC_PRIVATE, IPC_CREAT | IPC_EXCL | 0600);
    struct msqid_ds ds;
    size_t i, k;

    say("two private queues are %s", first != -1 && second != -1 && first != second ? "two" : "not two");
    for (i = 0; i < LENGTH(keys); i++) {
        say("key %d: msgget before %s", keys[i], outcome(msgget(keys[i], 0)));
        id[i] = msgget(keys[i], IPC_CREAT | IPC_EXCL | 0600);
        say("key %d: made %s, again %s", keys[i], outcome(id[i]), outcome(msgget(keys[i], IPC_CREAT | IPC_EXCL | 0600)));
        NEED(msgctl(id[i], IPC_STAT, &ds) == 0 && ds.msg_perm.__key == keys[i], "the key in IPC_STAT");
    }
    for (i = 0; i < LENGTH(keys); i++)
        for (k = 0; k < LENGTH(keys); k++)
            NEED((msgget(keys[i], 0) == id[k]) == (i == k), "keys %d and %d", keys[i], keys[k]);
    NEED(msgctl(first, IPC_STAT, &ds) == 0 && ds.msg_perm.__key == IPC_PRIVATE, "the key of a private queue");
    for (i = 0; i < LENGTH(keys); i++) {
        say("IPC_RMID %s", outcome(msgctl(id[i], IPC_RMID, NULL)));
        say("key %d: msgget after %s", keys[i], outcome(msgget(keys[i], 0)));
    }
    say("IPC_RMID %s %s", outcome(msgctl(first, IPC_RMID, NULL)), outcome(msgctl(second, IPC_RMID, NULL)));
    say("%d queues left", queues_in_use());
    return 0;
}

/* A key known to this process whose queue another process removes, and makes anew. */
static int remove_it(void *id) { return msgctl(*(int *)id, IPC_RMID, NULL) == 0 ? 0 : 1; }

static int remake_it(void *id)
{
    *(int *)id = msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);
    return *(int *)id != -1 && put_text(*(int *)id, 1, "new", 0) == 0 ? 0 : 1;
}

static int mode_known_key(void)
{
    int *id = shared_memory(sizeof *id), old, turn;

    for (turn = 0; turn < 50; turn++) {
        old = msgget(KEY, IPC_CREAT | 0600);
        NEED(old != -1 && put_text(old, 1, "old", 0) == 0 && msgget(KEY, 0) == old, "msgget");
        *id = old;
        reap_well(start(remove_it, id), "the remover");
        NEED(msgget(KEY, 0) == -1 && errno == ENOENT, "the key of a removed queue");
        NEED(put_text(old, 1, "x", 0) == -1 && (errno == EINVAL || errno == EIDRM), "msgsnd to a removed queue");
        reap_well(start(remake_it, id), "the maker");
        NEED(msgget(KEY, 0) == *id && *id != old, "the key of a remade queue");
        if (turn == 0)
            say_msgrcv("remade", msgget(KEY, 0), 0, IPC_NOWAIT);
        NEED(msgctl(*id, IPC_RMID, NULL) == 0, "IPC_RMID");
    }
    say("%d queues left", queues_in_use());
    return 0;
}

/* So many queues and no more. */
static int mode_msgmni(void)
{
    enum { MSGMNI = 32000 };
    static int id[MSGMNI];
    struct msginfo info;
    int i, extra;

    NEED(msgctl(0, IPC_INFO, (struct msqid_ds *)&info) != -1 && info.msgmni == MSGMNI, "msgmni %d", info.msgmni);
    for (i = 0; i < MSGMNI; i++) {
        id[i] = msgget(i % 2 ? IPC_PRIVATE : 1 + i, IPC_CREAT | IPC_EXCL | 0600);
        NEED(id[i] != -1, "msgget number %d", i);
    }
    extra = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    say("one more: %s", outcome(extra));
    say("one more with a key: %s", outcome(msgget(MSGMNI + 7, IPC_CREAT | 0600)));
    say("an old one by key: %s", msgget(1, 0) == id[0] ? "found" : "not found");
    say("in use %d", queues_in_use());
    NEED(put_text(id[MSGMNI - 1], 1, "last", 0) == 0, "msgsnd");
    say_msgrcv("last", id[MSGMNI - 1], 0, IPC_NOWAIT);
    NEED(msgctl(id[5], IPC_RMID, NULL) == 0, "IPC_RMID");
    id[5] = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    say("after one was removed: %s, then %s", outcome(id[5]), outcome(msgget(IPC_PRIVATE, IPC_CREAT | 0600)));
    for (i = 0; i < MSGMNI; i++)
        NEED(msgctl(id[i], IPC_RMID, NULL) == 0, "IPC_RMID number %d", i);
    say("in use %d", queues_in_use());
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {
        {"cycles", mode_cycles},       {"cycles-private", mode_cycles_private},
        {"by-id", mode_by_id},         {"cycles-processes", mode_cycles_processes},
        {"foreign", mode_foreign},     {"keys", mode_keys},
        {"known-key", mode_known_key}, {"msgmni", mode_msgmni},
    };

    given = argc > 2 ? argv[2] : NULL;
    return run_mode(modes, LENGTH(modes), argc > 1 ? argv[1] : NULL);
}
