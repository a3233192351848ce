/*
 * uids MODE: one process changes its user and groups in every way libc has, and what it may do to a set
 * of queues of different owners and modes follows at once, in both directions. Needs root.
 */
#include "ground.h"
#include <grp.h>

enum { ALICE = 20001, BOB = 20002, CAROL = 20003, STAFF = 20010, GUESTS = 20011, KEY = 0x01d0 };

static const mode_t MODES[] = {0000, 0600, 0400, 0200, 0640, 0660, 0604, 0606, 0420, 0240,
                               0060, 0006, 0040, 0020, 0004, 0002, 0644, 0666, 0777};
static int queue[LENGTH(MODES)];

static void mq_name(char *name, size_t i) { sprintf(name, "/uids-%zu", i); }

/* Alice of group staff makes one queue of each kind for every mode. */
static void make_queues(void)
{
    char name[32];
    size_t i;

    umask(0);
    NEED(setresgid(STAFF, STAFF, 0) == 0 && setresuid(ALICE, ALICE, 0) == 0, "becoming alice");
    for (i = 0; i < LENGTH(MODES); i++) {
        struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 8};
        mqd_t mqd;

        queue[i] = msgget(KEY + (int)i, IPC_CREAT | IPC_EXCL | (int)MODES[i]);
        mq_name(name, i);
        mqd = mq_open(name, O_CREAT | O_EXCL | O_RDWR, MODES[i], &attr);
        NEED(queue[i] != -1 && mqd != (mqd_t)-1, "making a queue of mode %o", MODES[i]);
        mq_close(mqd);
    }
    NEED(setresuid(0, 0, 0) == 0 && setresgid(0, 0, 0) == 0, "becoming root");
}

static void remove_queues(void)
{
    char name[32];
    size_t i;

    NEED(setresuid(0, 0, 0) == 0, "becoming root");
    for (i = 0; i < LENGTH(MODES); i++) {
        mq_name(name, i);
        NEED(msgctl(queue[i], IPC_RMID, NULL) == 0 && mq_unlink(name) == 0, "removing");
    }
}

static const char *opens(const char *name, int oflag)
{
    mqd_t mqd = mq_open(name, oflag);
    const char *verdict = outcome(mqd);

    if (mqd != (mqd_t)-1)
        mq_close(mqd);
    return verdict;
}

/* What the caller of this moment may do to the queue number i: a line. */
static void try_queue(const char *who, size_t i)
{
    static const int asked[] = {0, 0400, 0200, 0600, 0444, 0222, 0666};
    struct text_message message;
    struct msqid_ds ds;
    char line[400], name[32];
    int length, key = KEY + (int)i;
    size_t k;

    length = snprintf(line, sizeof line, "%s %04o: msgget", who, MODES[i]);
    for (k = 0; k < LENGTH(asked); k++)
        length += snprintf(line + length, sizeof line - (size_t)length, " %s", outcome(msgget(key, asked[k])));
    length += snprintf(line + length, sizeof line - (size_t)length, "; snd %s",
                       outcome(put_text(queue[i], 1, "x", IPC_NOWAIT)));
    length += snprintf(line + length, sizeof line - (size_t)length, " rcv %s",
                       outcome(msgrcv(queue[i], &message, TEXT_BYTES, 0, IPC_NOWAIT)));
    length += snprintf(line + length, sizeof line - (size_t)length, " stat %s",
                       outcome(msgctl(queue[i], IPC_STAT, &ds)));
    memset(&ds, 0, sizeof ds);
    ds.msg_perm.uid = ALICE;
    ds.msg_perm.gid = STAFF;
    ds.msg_perm.mode = MODES[i];
    ds.msg_qbytes = 1000;
    length += snprintf(line + length, sizeof line - (size_t)length, " set %s",
                       outcome(msgctl(queue[i], IPC_SET, &ds)));
    mq_name(name, i);
    length += snprintf(line + length, sizeof line - (size_t)length, "; mq r %s", opens(name, O_RDONLY));
    length += snprintf(line + length, sizeof line - (size_t)length, " w %s", opens(name, O_WRONLY));
    snprintf(line + length, sizeof line - (size_t)length, " rw %s", opens(name, O_RDWR));
    say("%s", line);
}

static void try_all(const char *who)
{
    size_t i;

    for (i = 0; i < LENGTH(MODES); i++)
        try_queue(who, i);
}

/* A few telling modes, where the full table was shown already. */
static void try_some(const char *who)
{
    static const mode_t telling[] = {0600, 0640, 0604, 0020, 0006};
    size_t i, k;

    for (k = 0; k < LENGTH(telling); k++)
        for (i = 0; i < LENGTH(MODES); i++)
            if (MODES[i] == telling[k])
                try_queue(who, i);
}

static void groups(size_t count, gid_t first, gid_t second)
{
    gid_t list[2] = {first, second};

    NEED(setgroups(count, list) == 0, "setgroups");
}

/* Root for a moment, then this user, with root kept as the saved user id. */
static void become(uid_t uid, gid_t gid)
{
    NEED(setresuid(0, 0, 0) == 0 && setresgid(gid, gid, 0) == 0, "setresgid");
    NEED(setresuid(uid, uid, 0) == 0, "setresuid");
}

/* Every identity, in one process that comes back to root between them. */
static int mode_identities(void)
{
    make_queues();
    groups(0, 0, 0);
    try_all("root");
    become(ALICE, 0);
    try_all("owner");
    become(BOB, 0);
    try_all("stranger");
    become(BOB, STAFF);
    try_all("group");
    become(0, GUESTS);
    groups(2, GUESTS, STAFF);
    become(CAROL, GUESTS);
    try_all("supplementary");
    become(0, GUESTS);
    groups(1, GUESTS, 0);
    become(CAROL, GUESTS);
    try_all("no longer in the group");
    remove_queues();
    return 0;
}

/* Each call that changes an identity, there and back. */
static int mode_calls(void)
{
    make_queues();
    groups(0, 0, 0);
    NEED(seteuid(ALICE) == 0, "seteuid");
    try_some("seteuid owner");
    NEED(seteuid(0) == 0, "seteuid");
    try_some("seteuid root");
    NEED(setreuid(0, BOB) == 0, "setreuid");
    try_some("setreuid stranger");
    NEED(setreuid(0, 0) == 0, "setreuid");
    try_some("setreuid root");
    NEED(setegid(STAFF) == 0 && seteuid(BOB) == 0, "setegid");
    try_some("setegid group");
    NEED(seteuid(0) == 0 && setegid(0) == 0 && seteuid(BOB) == 0, "setegid");
    try_some("setegid no group");
    NEED(seteuid(0) == 0 && setregid(0, STAFF) == 0 && seteuid(BOB) == 0, "setregid");
    try_some("setregid group");
    NEED(seteuid(0) == 0 && setgid(0) == 0 && seteuid(BOB) == 0, "setgid");
    try_some("setgid no group");
    NEED(seteuid(0) == 0 && initgroups("root", STAFF) == 0 && seteuid(BOB) == 0, "initgroups");
    try_some("initgroups group");
    NEED(seteuid(0) == 0 && initgroups("root", 0) == 0 && seteuid(BOB) == 0, "initgroups");
    try_some("initgroups no group");
    NEED(seteuid(0) == 0, "seteuid");
    remove_queues();
    return 0;
}

static int drop_for_good(void *unused)
{
    (void)unused;
    groups(1, STAFF, 0);
    NEED(setgid(GUESTS) == 0 && setuid(CAROL) == 0, "setuid");
    NEED(setuid(0) == -1 && errno == EPERM, "setuid(0) worked");
    try_some("setuid in the group");
    return 0;
}

static int drop_in_grandchild(void *unused)
{
    (void)unused;
    try_some("child");
    reap_well(start(drop_for_good, NULL), "the grandchild");
    try_some("child again");
    return 0;
}

/* A daemon that drops its rights for good, in a child, while its parent keeps them. */
static int mode_drop(void)
{
    make_queues();
    try_some("before");
    reap_well(start(drop_in_grandchild, NULL), "the child");
    try_some("after");
    remove_queues();
    return 0;
}

/* Who owns what a changed identity makes, and what it may then do to it. */
static int mode_owner(void)
{
    struct msqid_ds ds;
    int made;

    NEED(setegid(STAFF) == 0 && seteuid(BOB) == 0, "becoming bob");
    made = msgget(KEY, IPC_CREAT | 0600);
    NEED(made != -1 && msgctl(made, IPC_STAT, &ds) == 0, "msgget");
    say("made by %u:%u, owned by %u:%u", ds.msg_perm.cuid, ds.msg_perm.cgid, ds.msg_perm.uid, ds.msg_perm.gid);
    NEED(seteuid(0) == 0, "seteuid");
    ds.msg_perm.uid = CAROL;
    ds.msg_perm.gid = GUESTS;
    say("root gives it away: %s", outcome(msgctl(made, IPC_SET, &ds)));
    NEED(seteuid(CAROL) == 0, "seteuid");
    say("the new owner sends: %s", outcome(put_text(made, 1, "mine", 0)));
    ds.msg_perm.mode = 0400;
    say("the new owner takes write permission away: %s", outcome(msgctl(made, IPC_SET, &ds)));
    say("the new owner sends: %s", outcome(put_text(made, 1, "no", IPC_NOWAIT)));
    say_msgrcv("the new owner", made, 0, IPC_NOWAIT);
    NEED(seteuid(0) == 0 && seteuid(BOB) == 0, "seteuid");
    say("the creator reads: %s", outcome(msgrcv(made, &ds, 0, 0, IPC_NOWAIT)));
    NEED(seteuid(0) == 0 && seteuid(ALICE) == 0, "seteuid");
    say("a stranger removes: %s", outcome(msgctl(made, IPC_RMID, NULL)));
    NEED(seteuid(0) == 0 && seteuid(BOB) == 0, "seteuid");
    say("the creator removes: %s", outcome(msgctl(made, IPC_RMID, NULL)));
    return 0;
}

/* A creator who is not the owner any more still has the owner's class, and may IPC_SET. */
static int creator_alone(void *made)
{
    int id = *(int *)made;
    struct msqid_ds ds;

    NEED(seteuid(0) == 0 && setresuid(BOB, BOB, BOB) == 0, "becoming bob for good");
    say("the creator in a new process: IPC_STAT %s", outcome(msgctl(id, IPC_STAT, &ds)));
    say("the creator sends: %s", outcome(put_text(id, 1, "x", IPC_NOWAIT)));
    ds.msg_perm.mode = 0400;
    say("the creator takes write permission away: %s", outcome(msgctl(id, IPC_SET, &ds)));
    say("the creator sends: %s", outcome(put_text(id, 1, "x", IPC_NOWAIT)));
    ds.msg_perm.mode = 0600;
    say("the creator gives it back: %s", outcome(msgctl(id, IPC_SET, &ds)));
    say("the creator sends: %s", outcome(put_text(id, 1, "x", IPC_NOWAIT)));
    return 0;
}

static int mode_creator(void)
{
    struct msqid_ds ds;
    int made;

    NEED(seteuid(BOB) == 0, "becoming bob");
    made = msgget(KEY, IPC_CREAT | 0600);
    NEED(made != -1 && msgctl(made, IPC_STAT, &ds) == 0 && seteuid(0) == 0, "msgget");
    ds.msg_perm.uid = CAROL;
    say("root gives it to carol: %s", outcome(msgctl(made, IPC_SET, &ds)));
    reap_well(start(creator_alone, &made), "the creator");
    say("root removes: %s", outcome(msgctl(made, IPC_RMID, NULL)));
    return 0;
}

/* A plain owner may give his queue away. */
static int mode_give(void)
{
    struct msqid_ds ds;
    int made;

    NEED(seteuid(BOB) == 0, "becoming bob");
    made = msgget(KEY, IPC_CREAT | 0600);
    NEED(made != -1 && msgctl(made, IPC_STAT, &ds) == 0, "msgget");
    ds.msg_perm.uid = CAROL;
    say("bob gives it to carol: %s", outcome(msgctl(made, IPC_SET, &ds)));
    NEED(seteuid(0) == 0 && seteuid(CAROL) == 0, "becoming carol");
    say("carol sends: %s", outcome(put_text(made, 1, "x", 0)));
    say("carol removes: %s", outcome(msgctl(made, IPC_RMID, NULL)));
    NEED(seteuid(0) == 0, "becoming root");
    msgctl(made, IPC_RMID, NULL);
    return 0;
}

/* A queue that is open stays open for a process that has lost the right to open it. */
static int mode_keeps(void)
{
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = TEXT_BYTES};
    mqd_t mqd;
    int made;

    made = msgget(KEY, IPC_CREAT | 0600);
    mqd = mq_open("/keeps", O_CREAT | O_RDWR, 0600, &attr);
    NEED(made != -1 && mqd != (mqd_t)-1, "making the queues");
    say("root: msgsnd %s, mq_send %s", outcome(put_text(made, 1, "x", 0)), outcome(mq_send(mqd, "x", 1, 0)));
    NEED(seteuid(BOB) == 0, "seteuid");
    say("bob: msgsnd %s, mq_send %s", outcome(put_text(made, 1, "x", 0)), outcome(mq_send(mqd, "x", 1, 0)));
    say_mq_receive("bob", mqd);
    say("bob: mq_open %s, mq_unlink %s", outcome(mq_open("/keeps", O_RDWR)), outcome(mq_unlink("/keeps")));
    NEED(seteuid(0) == 0, "seteuid");
    say("root: msgsnd %s, mq_unlink %s", outcome(put_text(made, 1, "x", 0)), outcome(mq_unlink("/keeps")));
    say("root: IPC_RMID %s", outcome(msgctl(made, IPC_RMID, NULL)));
    return 0;
}

/* Stranger and owner take turns a thousand times: no verdict is a stale one. */
static int mode_turns(void)
{
    int made, turn, refused = 0, allowed = 0;

    NEED(setresuid(ALICE, ALICE, 0) == 0, "setresuid");
    made = msgget(KEY, IPC_CREAT | 0600);
    NEED(made != -1, "msgget");
    for (turn = 0; turn < 1000; turn++) {
        NEED(setresuid((uid_t)-1, turn % 2 ? BOB : ALICE, 0) == 0 || setresuid(0, 0, 0) == 0, "setresuid");
        if (put_text(made, 1, "turn", IPC_NOWAIT) == 0)
            allowed++;
        else if (errno == EACCES)
            refused++;
        NEED(seteuid(0) == 0, "seteuid");
        msgrcv(made, &(struct text_message){0}, TEXT_BYTES, 0, IPC_NOWAIT);
    }
    say("%d allowed, %d refused", allowed, refused);
    msgctl(made, IPC_RMID, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {
        {"identities", mode_identities}, {"calls", mode_calls}, {"drop", mode_drop},
        {"owner", mode_owner},           {"keeps", mode_keeps}, {"turns", mode_turns},
        {"creator", mode_creator},       {"give", mode_give},
    };

    return run_mode(modes, LENGTH(modes), argc > 1 ? argv[1] : NULL);
}
