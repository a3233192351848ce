/* What the scenarios of System V message queues share. */
#ifndef MSG_H
#define MSG_H

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

static inline size_t length_of(long type) { return (size_t)(20 + 13 * type) % 200; }

/* Made ready before the victim is stepped: what is stepped is the call alone. */
static struct message ready[16];

static inline int send_type(int id, long type, int flags)
{
    return msgsnd(id, &ready[type], length_of(type), flags);
}

static inline void prepare(int messages)
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

static inline void prepare_three(void) { prepare(3); }
static inline void prepare_one(void) { prepare(1); }
static inline void prepare_none(void) { prepare(0); }

static inline int qnum(size_t *bytes)
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
static inline int drain(long *types, int most)
{
    struct message message;
    size_t counted = 0, bytes = 0;
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
static inline void expect_types(const long *wanted, int count)
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
static inline void expect_room(size_t room)
{
    struct message message = {.type = 1};
    size_t bytes = 0, i, n = 0;

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
static inline void look_at_all(void)
{
    struct msqid_ds status;
    struct msginfo info;
    int index;

    for (index = msgctl(0, MSG_INFO, (struct msqid_ds *)&info); index >= 0; index--)
        msgctl(index, MSG_STAT, &status);
}

/* The key still works, and works again. */
static inline void clear(void)
{
    look_at_all();
    expect(msgget(KEY, 0) == queue, "the key leads elsewhere");
    expect(msgctl(queue, IPC_RMID, NULL) == 0, "IPC_RMID: %s", strerror(errno));
    expect(msgget(KEY, 0) == -1 && errno == ENOENT, "the key leads somewhere after IPC_RMID");
    expect(count_in("msg") == names, "%d queues are left", count_in("msg") - names);
}

static inline void look(void)
{
    struct msqid_ds status;

    msgctl(queue, IPC_STAT, &status);
}

static inline void receive_seven(struct note *note)
{
    struct message message = {0};

    note->result = msgrcv(queue, &message, sizeof message.text, 7, 0);
    note->error = errno;
    note->type = message.type;
}

/* For a full queue, for which a sender waits. */
static inline void send_six(struct note *note)
{
    note->result = send_type(queue, 6, 0);
    note->error = errno;
}

static inline void prepare_full(void)
{
    struct message message = {.type = 1};

    prepare(0);
    fill_text(message.text, ROOM - length_of(2), 1);
    need(msgsnd(queue, &message, ROOM - length_of(2), 0) == 0 && send_type(queue, 2, 0) == 0, "msgsnd");
}

static inline void prepare_sender(void)
{
    prepare_full();
    start_sleeper(0, send_six);
}

#endif
