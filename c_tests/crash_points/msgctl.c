/* System V message queues: making, finding, removing, changing. */
#include "msg.h"

/* msgget: creating, with a key and without; finding. */
static void note_names(void)
{
    names = count_in("msg");
    queue = -1;
}

static void call_get(void) { msgget(KEY, IPC_CREAT | IPC_EXCL | 0600); }
static void call_get_private(void) { msgget(IPC_PRIVATE, 0600); }
static void call_find(void) { msgget(KEY, 0); }

static int check_get(int ended)
{
    struct msginfo info;
    int outcome;

    /* First, and alone: it buries the queue whose key was never set. */
    expect(msgctl(0, MSG_INFO, (struct msqid_ds *)&info) != -1, "MSG_INFO: %s", strerror(errno));
    queue = msgget(KEY, 0);
    outcome = queue != -1;
    expect(outcome || errno == ENOENT, "msgget: %s", strerror(errno));
    expect(info.msgpool - names == outcome, "%d queues", info.msgpool - names);
    expect(!ended || outcome, "the call has returned, and there is no queue");
    if (!outcome)
        queue = msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);
    expect(queue != -1, "msgget: %s", strerror(errno));
    expect_room(16384);
    return outcome;
}

/* A private one that its maker could not tell of stays, as in the kernel. */
static int check_get_private(int ended)
{
    struct msqid_ds status;
    struct msginfo info;
    int index, most = msgctl(0, MSG_INFO, (struct msqid_ds *)&info), outcome = info.msgpool - names;

    expect(outcome == 0 || outcome == 1, "%d queues", info.msgpool);
    expect(!ended || outcome == 1, "the call has returned, and there is no queue");
    for (index = 0; index <= most; index++) {
        int id = msgctl(index, MSG_STAT, &status);

        if (id != -1 && status.msg_qnum == 0 && id != queue && status.msg_perm.__key == IPC_PRIVATE && status.msg_ctime && status.msg_stime == 0)
            expect(msgctl(id, IPC_RMID, NULL) == 0, "IPC_RMID: %s", strerror(errno));
    }
    expect(count_in("msg") == names, "%d queues are left", count_in("msg") - names);
    return outcome;
}

static void clear_nothing(void) {}

static void make_elsewhere(void) { prepare(0); }

static void prepare_elsewhere(void)
{
    names = count_in("msg");
    in_child(make_elsewhere);
}

static int check_found(int ended)
{
    (void)ended;
    queue = msgget(KEY, 0);
    expect(queue != -1, "msgget: %s", strerror(errno));
    expect_room(ROOM);
    return 0;
}

/* IPC_RMID, while a receiver sleeps. */
static void prepare_removal(void)
{
    prepare(1);
    start_sleeper(0, receive_seven);
}

static void call_remove(void) { msgctl(queue, IPC_RMID, NULL); }

static int check_removed(int ended)
{
    const struct note *note;
    int outcome, found;

    let_be(0);
    found = msgget(KEY, 0);
    outcome = found == -1;
    expect(outcome ? errno == ENOENT : found == queue, "the key leads to %d: %s", found, strerror(errno));
    expect(!ended || outcome, "the call has returned, and the queue is there");
    if (scenario->quiet)
        expect(outcome == is_done(0), "the sleeper does not know");
    if (outcome) {
        expect(msgctl(queue, IPC_RMID, NULL) == -1 && (errno == EINVAL || errno == EIDRM), "removed, but not gone");
    } else {
        expect(send_type(queue, 7, 0) == 0, "msgsnd: %s", strerror(errno));
    }
    note = await_sleeper(0);
    expect(note && (outcome ? note->result == -1 && note->error == EIDRM : note->type == 7), "the sleeper got %ld: %s",
           note ? note->result : 0, note ? strerror(note->error) : "");
    if (outcome) {
        found = queue;
        queue = msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);
        expect(queue != -1 && queue != found, "made again: %d (%s), it was %d", queue, strerror(errno), found);
    } else {
        struct message m;
        expect(msgrcv(queue, &m, sizeof m.text, 0, IPC_NOWAIT) == (long)length_of(1), "its message is gone");
        expect_room(ROOM);
    }
    return outcome;
}

/* IPC_SET: a mode, and room for a sender that waits. */
static void call_set(void)
{
    struct msqid_ds status;

    msgctl(queue, IPC_STAT, &status);
    status.msg_qbytes = NEW_ROOM;
    status.msg_perm.mode = NEW_MODE;
    msgctl(queue, IPC_SET, &status);
}

static int check_set(int ended)
{
    struct msqid_ds status;
    struct message message;
    const struct note *note;
    static const long wanted[] = {2, 6};
    int wider, outcome;

    let_be(0);
    expect(msgctl(queue, IPC_STAT, &status) == 0, "IPC_STAT: %s", strerror(errno));
    wider = status.msg_qbytes == NEW_ROOM;
    outcome = wider + ((status.msg_perm.mode & 0777) == NEW_MODE);
    expect(wider || status.msg_qbytes == ROOM, "msg_qbytes is %lu", (unsigned long)status.msg_qbytes);
    expect((status.msg_perm.mode & 0777) == NEW_MODE || (status.msg_perm.mode & 0777) == 0600, "the mode is %o",
           status.msg_perm.mode);
    expect(status.msg_perm.uid == geteuid() && status.msg_perm.gid == getegid(), "the owner is another");
    expect(!ended || outcome == 2, "the call has returned, and not all is set");
    if (wider)
        await_sleeper(0);
    expect(msgrcv(queue, &message, sizeof message.text, 1, IPC_NOWAIT) > 0, "its message is gone");
    note = await_sleeper(0);
    expect(note && note->result == 0, "the sender got an error");
    expect_types(wanted, 2);
    expect_room(wider ? NEW_ROOM : ROOM);
    return outcome;
}

const struct scenario msgctl_scenarios[] = {
    {.name = "msgget-key", .prepare = note_names, .call = call_get, .check = check_get, .clear = clear},
    {.name = "msgget-private", .prepare = note_names, .call = call_get_private, .check = check_get_private, .clear = clear_nothing},
    {.name = "msgget-find", .prepare = prepare_elsewhere, .call = call_find, .check = check_found, .clear = clear},
    {.name = "msgctl-rmid", .prepare = prepare_removal, .call = call_remove, .second = call_find, .check = check_removed, .clear = clear},
    {.name = "msgctl-rmid-quiet", .prepare = prepare_removal, .call = call_remove, .check = check_removed, .clear = clear, .quiet = 1},
    {.name = "msgctl-set", .prepare = prepare_sender, .call = call_set, .second = look, .check = check_set, .clear = clear},
    {0},
};
