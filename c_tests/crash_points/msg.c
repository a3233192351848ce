/* System V message queues. */
#include "points.h"
#include <sys/ipc.h>
#include <sys/msg.h>

enum { KEY = 0x4d01, ROOM = 1024, UNIT = 32, NEW_MODE = 0640, NEW_ROOM = 2048 };

struct message {
    long type;
    char text[LONGEST];
};

static int queue;
static int expected;  /* messages that were made ready */
static int names;     /* queues there were before */

static size_t length_of(long type) { return (size_t)(20 + 13 * type) % 200; }

/* Made ready before the victim is stepped: what is stepped is the call alone. */
static struct message ready[16], got;

static int send_type(int id, long type, int flags)
{
    return msgsnd(id, &ready[type], length_of(type), flags);
}

static void prepare(int messages)
{
    struct msqid_ds status;
    int i;

    for (i = 1; i < (int)LENGTH(ready); i++) {
        ready[i].type = i;
        fill_text(ready[i].text, length_of(i), (unsigned)i);
    }
    names = count_in("msg");
    queue = msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);
    need(queue != -1, "msgget");
    need(msgctl(queue, IPC_STAT, &status) == 0, "IPC_STAT");
    status.msg_qbytes = ROOM;
    need(msgctl(queue, IPC_SET, &status) == 0, "IPC_SET");
    expected = messages;
    for (i = 1; i <= messages; i++)
        need(send_type(queue, i, IPC_NOWAIT) == 0, "msgsnd");
}

static void prepare_three(void) { prepare(3); }
static void prepare_one(void) { prepare(1); }
static void prepare_none(void) { prepare(0); }

static int qnum(size_t *bytes)
{
    struct msqid_ds status;

    if (msgctl(queue, IPC_STAT, &status) == -1) {
        complain(__FILE__, __LINE__, "IPC_STAT: %s", strerror(errno));
        return 0;
    }
    if (bytes)
        *bytes = status.__msg_cbytes;
    return (int)status.msg_qnum;
}

/* The types that are in the queue, in order; each whole, and all counted. */
static int drain(long *types, int most)
{
    struct message message;
    size_t counted, bytes = 0;
    int n = 0, there_are = qnum(&counted);

    while (n < most) {
        ssize_t length = msgrcv(queue, &message, sizeof message.text, 0, IPC_NOWAIT);

        if (length == -1) {
            expect(errno == ENOMSG, "msgrcv: %s", strerror(errno));
            break;
        }
        expect((size_t)length == length_of(message.type) && is_text(message.text, (size_t)length, (unsigned)message.type),
               "message %d of type %ld is not as it was sent", n, message.type);
        bytes += (size_t)length;
        types[n++] = message.type;
    }
    expect(n == there_are, "%d messages came, msg_qnum was %d", n, there_are);
    expect(bytes == counted, "%zu bytes came, %zu were counted", bytes, counted);
    return n;
}

/* That the queue holds exactly these. */
static void expect_types(const long *wanted, int count)
{
    long types[64] = {0};
    char text[300] = "";
    int i, n = drain(types, 64);

    for (i = 0; i < n; i++)
        sprintf(text + strlen(text), " %ld", types[i]);
    expect(n == count, "%d messages, not %d:%s", n, count, text);
    for (i = 0; i < n && i < count; i++)
        expect(types[i] == wanted[i], "message %d is of type %ld, not %ld:%s", i, types[i], wanted[i], text);
}

/* That an empty queue takes as much as it ever did, and gives it back. A message given to a receiver who was
 * killed before he slept is not counted until that is noticed. */
static void expect_room(size_t room)
{
    struct message message = {.type = 1};
    size_t bytes, i, n = 0;

    if (scenario->feed && msgsnd(queue, &message, UNIT, IPC_NOWAIT) == 0)
        expect(msgrcv(queue, &message, UNIT, 0, IPC_NOWAIT) == UNIT, "what was sent to the dead: %s", strerror(errno));

    expect(qnum(&bytes) == 0 && bytes == 0, "an empty queue has %zu bytes", bytes);
    while (n <= room && msgsnd(queue, &message, UNIT, IPC_NOWAIT) == 0)
        n++;
    expect(n == room / UNIT && errno == EAGAIN, "%zu messages fill it, not %zu", n, room / UNIT);
    for (i = 0; i < n; i++)
        expect(msgrcv(queue, &message, UNIT, 0, IPC_NOWAIT) == UNIT, "message %zu of those that filled it", i);
    expect(qnum(&bytes) == 0 && bytes == 0, "an emptied queue has %zu bytes", bytes);
}

/* Looks at all of them, which buries what was never finished. */
static void look_at_all(void)
{
    struct msqid_ds status;
    struct msginfo info;
    int index;

    for (index = msgctl(0, MSG_INFO, (struct msqid_ds *)&info); index >= 0; index--)
        msgctl(index, MSG_STAT, &status);
}

/* The key still works, and works again. */
static void clear(void)
{
    look_at_all();
    expect(msgget(KEY, 0) == queue, "the key leads elsewhere");
    expect(msgctl(queue, IPC_RMID, NULL) == 0, "IPC_RMID: %s", strerror(errno));
    expect(msgget(KEY, 0) == -1 && errno == ENOENT, "the key leads somewhere after IPC_RMID");
    expect(count_in("msg") == names, "%d queues are left", count_in("msg") - names);
}

static void look(void)
{
    struct msqid_ds status;

    msgctl(queue, IPC_STAT, &status);
}

/* msgsnd of type 4, perhaps while a rival sends type 9. */
static void call_send(void) { send_type(queue, 4, 0); }
static void rival_send(void) { send_type(queue, 9, 0); }

static int check_send(int ended)
{
    static const long wanted[] = {1, 2, 3, 4};
    int outcome = qnum(NULL) - expected - rivalled;

    expect(!ended || outcome == 1, "the call has returned, and the message is not there");
    if (rivalled) {
        long types[8] = {0};
        int i, at = 0, nines = 0, n = drain(types, 8);

        for (i = 0; i < n; i++)
            if (types[i] == 9)
                nines++;
            else
                expect(types[i] == wanted[at], "message %d is of type %ld", i, types[i]), at++;
        expect(nines == 1 && at == expected + outcome, "%d of the rival's, %d others", nines, at);
    } else {
        expect_types(wanted, expected + outcome);
    }
    expect_room(ROOM);
    return outcome;
}

/* A message of another size: more pages, other bins. */
static void call_send_large(void) { send_type(queue, 13, 0); }

static int check_send_large(int ended)
{
    static const long wanted[] = {13};
    int outcome = qnum(NULL);

    expect(!ended || outcome == 1, "the call has returned, and the message is not there");
    expect_types(wanted, outcome);
    expect_room(ROOM);
    return outcome;
}

/* msgsnd that a sleeping receiver waits for. */
static void receive_four(struct note *note)
{
    struct message message = {0};

    note->result = msgrcv(queue, &message, sizeof message.text, -4, 0);
    note->error = errno;
    note->type = message.type;
    memcpy(note->text, message.text, sizeof note->text);
}

static void receive_seven(struct note *note)
{
    struct message message = {0};

    note->result = msgrcv(queue, &message, sizeof message.text, 7, 0);
    note->error = errno;
    note->type = message.type;
}

static void prepare_receiver(void)
{
    prepare(0);
    send_type(queue, 5, 0);
    expected = 1;
    start_sleeper(0, receive_seven);
    start_sleeper(1, receive_four);
}

static int check_serves(int ended)
{
    static const long wanted[] = {5, 3};
    const struct note *note;
    int outcome = 0, quick;

    let_be(1);
    quick = is_done(1);
    send_type(queue, 3, 0);
    note = await_sleeper(1);
    if (note) {
        expect(note->result == (long)length_of(note->type) && is_text(note->text, (size_t)note->result, (unsigned)note->type),
               "the receiver got %ld: %s", note->result, strerror(note->error));
        outcome = note->type == 4;
        expect(!scenario->quiet || outcome == quick, "its message was there, and it was not told");
        expect_types(wanted, outcome ? 2 : 1);
    }
    expect(!ended || outcome, "the call has returned, and the message was not received");
    send_type(queue, 7, 0);
    note = await_sleeper(0);
    expect(note && note->type == 7, "the other receiver got a wrong message");
    expect_room(ROOM);
    return outcome;
}

/* msgrcv of the first, of one by its type, of the last; `taken` is its type. */
static void call_receive_first(void) { msgrcv(queue, &got, sizeof got.text, 0, 0); }
static void call_receive_two(void) { msgrcv(queue, &got, sizeof got.text, 2, 0); }
static void call_receive_least(void) { msgrcv(queue, &got, sizeof got.text, -3, 0); }
static void call_receive_except(void) { msgrcv(queue, &got, sizeof got.text, 1, MSG_EXCEPT); }
static void rival_receive(void)
{
    struct message m;

    if (msgrcv(queue, &m, sizeof m.text, 3, 0) == -1)
        _exit(1);
}

static int check_received(int ended, long taken)
{
    long wanted[4], type;
    int n = 0, outcome = expected - rivalled - qnum(NULL);

    expect(!ended || outcome == 1, "the call has returned, and the message is still there");
    for (type = 1; type <= expected; type++)
        if (!(outcome && type == taken) && !(rivalled && type == 3))
            wanted[n++] = type;
    expect_types(wanted, n);
    expect_room(ROOM);
    return outcome;
}

static int check_received_first(int ended) { return check_received(ended, 1); }
static int check_received_two(int ended) { return check_received(ended, 2); }

/* msgrcv from a full queue, for which a sender waits. */
static void send_six(struct note *note)
{
    note->result = send_type(queue, 6, 0);
    note->error = errno;
}

static void prepare_full(void)
{
    struct message message = {.type = 1};

    prepare(0);
    fill_text(message.text, ROOM - length_of(2), 1);
    need(msgsnd(queue, &message, ROOM - length_of(2), 0) == 0 && send_type(queue, 2, 0) == 0, "msgsnd");
}

static void prepare_sender(void)
{
    prepare_full();
    start_sleeper(0, send_six);
}

static int check_admits(int ended)
{
    struct message message;
    const struct note *note;
    static const long wanted[] = {2, 6};
    int outcome;

    let_be(0);
    outcome = msgrcv(queue, &message, sizeof message.text, 1, IPC_NOWAIT) == -1;
    expect(!ended || outcome, "the call has returned, and the message is still there");
    note = await_sleeper(0);
    expect(note && note->result == 0, "the sender got an error");
    expect_types(wanted, 2);
    expect_room(ROOM);
    return outcome;
}

/* The victim itself sleeps in its call, and is fed. */
static void feed_message(void) { send_type(queue, 4, 0); }

static int check_receiver_slept(int ended)
{
    static const long wanted[] = {4};
    int outcome;

    let_be(0);
    outcome = fed - qnum(NULL);
    expect(!ended || (fed && outcome == 1), "the call has returned, and the message is still there");
    expect_types(wanted, fed - outcome);
    expect_room(ROOM);
    return outcome;
}

/* As before, with another receiver in line behind the victim: what the victim does not take is its. */
static void prepare_nothing(void) { prepare(0); }

static void feed_two(void)
{
    start_sleeper(0, receive_four);
    send_type(queue, 4, 0);
}

static int check_in_line(int ended)
{
    static const long wanted[] = {3}, ready_types[] = {4};
    const struct note *note;
    int outcome = 0, quick;

    if (!fed) {
        expect_room(ROOM);
        return 0;
    }
    let_be(0);
    quick = is_done(0);
    send_type(queue, 3, 0);
    note = await_sleeper(0);
    if (note) {
        /* Given to the victim, and not taken: it is back in the queue. */
        int back = note->type == 3 && qnum(NULL) == 1;

        outcome = note->type == 3 && !back;
        expect(!scenario->quiet || (outcome == !quick && !back), "its message was there, and it was not told");
        expect_types(back ? ready_types : wanted, !outcome);
    }
    expect(!ended || outcome, "the call has returned, and another received its message");
    expect_room(ROOM);
    return outcome;
}

static void call_send_six(void) { send_type(queue, 6, 0); }
static void feed_room(void) { msgrcv(queue, &got, sizeof got.text, 1, 0); }

static int check_sender_slept(int ended)
{
    struct message message;
    static const long wanted[] = {2, 6};
    int outcome = qnum(NULL) - (fed ? 1 : 2);

    expect(!ended || (fed && outcome == 1), "the call has returned, and the message is not there");
    if (!fed)
        expect(msgrcv(queue, &message, sizeof message.text, 1, IPC_NOWAIT) > 0, "the first message is gone");
    expect_types(wanted, 1 + outcome);
    expect_room(ROOM);
    return outcome;
}

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
    int outcome;

    queue = msgget(KEY, 0);
    outcome = queue != -1;
    expect(outcome || errno == ENOENT, "msgget: %s", strerror(errno));
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

const struct scenario msg_scenarios[] = {
    {.name = "msgsnd", .prepare = prepare_three, .call = call_send, .second = look, .check = check_send, .clear = clear},
    {.name = "msgsnd-cold", .prepare = prepare_three, .call = call_send, .check = check_send, .clear = clear},
    {.name = "msgsnd-empty", .prepare = prepare_none, .call = call_send_large, .check = check_send_large, .clear = clear},
    {.name = "msgsnd-rival", .prepare = prepare_three, .call = call_send, .rival = rival_send, .check = check_send, .clear = clear},
    {.name = "msgsnd-serves", .prepare = prepare_receiver, .call = call_send, .second = look, .check = check_serves, .clear = clear},
    {.name = "msgsnd-serves-quiet", .prepare = prepare_receiver, .call = call_send, .check = check_serves, .clear = clear, .quiet = 1},
    {.name = "msgsnd-sleeps", .prepare = prepare_full, .call = call_send_six, .feed = feed_room, .second = look, .check = check_sender_slept, .clear = clear},
    {.name = "msgrcv", .prepare = prepare_three, .call = call_receive_first, .second = look, .check = check_received_first, .clear = clear},
    {.name = "msgrcv-last", .prepare = prepare_one, .call = call_receive_first, .second = look, .check = check_received_first, .clear = clear},
    {.name = "msgrcv-type", .prepare = prepare_three, .call = call_receive_two, .check = check_received_two, .clear = clear},
    {.name = "msgrcv-least", .prepare = prepare_three, .call = call_receive_least, .check = check_received_first, .clear = clear},
    {.name = "msgrcv-except", .prepare = prepare_three, .call = call_receive_except, .check = check_received_two, .clear = clear},
    {.name = "msgrcv-rival", .prepare = prepare_three, .call = call_receive_two, .rival = rival_receive, .check = check_received_two, .clear = clear},
    {.name = "msgrcv-admits", .prepare = prepare_sender, .call = call_receive_first, .second = look, .check = check_admits, .clear = clear},
    {.name = "msgrcv-admits-quiet", .prepare = prepare_sender, .call = call_receive_first, .check = check_admits, .clear = clear, .quiet = 1},
    {.name = "msgrcv-sleeps", .prepare = prepare_nothing, .call = call_receive_first, .feed = feed_message, .second = look, .check = check_receiver_slept, .clear = clear},
    {.name = "msgrcv-in-line", .prepare = prepare_nothing, .call = call_receive_first, .feed = feed_two, .second = look, .check = check_in_line, .clear = clear},
    {.name = "msgrcv-in-line-quiet", .prepare = prepare_nothing, .call = call_receive_first, .feed = feed_two, .check = check_in_line, .clear = clear, .quiet = 1},
    {.name = "msgget-key", .prepare = note_names, .call = call_get, .check = check_get, .clear = clear},
    {.name = "msgget-private", .prepare = note_names, .call = call_get_private, .check = check_get_private, .clear = clear_nothing},
    {.name = "msgget-find", .prepare = prepare_elsewhere, .call = call_find, .check = check_found, .clear = clear},
    {.name = "msgctl-rmid", .prepare = prepare_removal, .call = call_remove, .second = call_find, .check = check_removed, .clear = clear},
    {.name = "msgctl-rmid-quiet", .prepare = prepare_removal, .call = call_remove, .check = check_removed, .clear = clear, .quiet = 1},
    {.name = "msgctl-set", .prepare = prepare_sender, .call = call_set, .second = look, .check = check_set, .clear = clear},
    {0},
};
