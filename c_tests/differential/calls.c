/* The calls on message queues, made through libc, and what can be seen of their results. */
#include "differential.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { ERRNO_BEFORE = 12321, TAIL_BYTES = 64, TAG_BYTES = 4 };

static struct {
    long type;
    unsigned char body[BUFFER_BYTES];
} message;

/* No pointer here may be dereferenced: one the kernel itself uses, and one no address space has. */
void *pointer(enum pointer kind, void *good)
{
    switch (kind) {
    case POINTER_NULL: return NULL;
    case POINTER_KERNEL: return (void *)0xffff800000001000;
    case POINTER_NONCANONICAL: return (void *)0x0400000000000000;
    default: return good;
    }
}

static unsigned char pattern(long number, size_t at)
{
    if (at < TAG_BYTES)
        return (unsigned char)((unsigned long)number >> (8 * at));
    return (unsigned char)((unsigned long)number * 31 + at * 7 + (at >> 8));
}

static void fill_message(unsigned char *body, long number, size_t size)
{
    for (size_t i = 0; i < size && i < BUFFER_BYTES - TAIL_BYTES; i++)
        body[i] = pattern(number, i);
}

/* Only as much is prepared as a message may cover, and a bit more to see a write too far. */
static size_t prepared_bytes(size_t size)
{
    return size < BUFFER_BYTES - TAIL_BYTES ? size + TAIL_BYTES : BUFFER_BYTES;
}

static void prepare_message(unsigned char *body, size_t size)
{
    memset(body, FILL, prepared_bytes(size));
    message.type = 0x5a5a5a5a;
}

static bool all_filled(const unsigned char *from, const unsigned char *to)
{
    while (from < to)
        if (*from++ != FILL)
            return false;
    return true;
}

static enum body judge_body(const unsigned char *body, size_t length, size_t prepared, struct result *r)
{
    if (!all_filled(body + length, body + prepared))
        return BODY_DIRTY_TAIL;
    memcpy(r->head, body, TAG_BYTES);
    if (length < TAG_BYTES)
        return BODY_TINY;
    r->from = 0;
    for (size_t i = 0; i < TAG_BYTES; i++)
        r->from |= (long)body[i] << (8 * i);
    for (size_t i = 0; i < length; i++)
        if (body[i] != pattern(r->from, i))
            return BODY_TORN;
    return BODY_INTACT;
}

static void look_at_message(const unsigned char *body, size_t size, struct result *r)
{
    size_t prepared = prepared_bytes(size);
    r->type = message.type;
    r->written = message.type != 0x5a5a5a5a;
    if (r->ret >= 0 && (size_t)r->ret <= prepared)
        r->body = judge_body(body, (size_t)r->ret, prepared, r);
    else
        r->written |= !all_filled(body, body + prepared);
}

void before(void)
{
    errno = ERRNO_BEFORE;
}

void after(struct result *r)
{
    r->err = errno;
    r->errno_kept = errno == ERRNO_BEFORE;
}

static void call_msgsnd(const struct command *c, int id, struct result *r)
{
    size_t size = (size_t)c->a[3];
    message.type = c->a[2];
    fill_message(message.body, c->number, size);
    before();
    r->ret = msgsnd(id, pointer((enum pointer)c->a[1], &message), size, (int)c->a[4]);
    after(r);
}

static void call_msgrcv(const struct command *c, int id, struct result *r)
{
    size_t size = (size_t)c->a[3];
    prepare_message(message.body, size);
    before();
    r->ret = msgrcv(id, pointer((enum pointer)c->a[1], &message), size, c->a[2], (int)c->a[4]);
    after(r);
    look_at_message(message.body, size, r);
}

static void call_msgctl(const struct command *c, int id, struct result *r)
{
    union { struct msqid_ds ds; struct msginfo info; unsigned char bytes[256]; } u, filled;
    int cmd = (int)c->a[1];
    memset(&u, FILL, sizeof u);
    if (cmd == IPC_SET) {
        u.ds.msg_perm.uid = (uid_t)c->a[3];
        u.ds.msg_perm.gid = (gid_t)c->a[4];
        u.ds.msg_perm.mode = (mode_t)c->a[5];
        u.ds.msg_qbytes = (msglen_t)c->a[6];
    }
    filled = u;
    before();
    r->ret = msgctl(id, cmd, pointer((enum pointer)c->a[2], &u));
    after(r);
    r->written = memcmp(&u, &filled, sizeof u) != 0;
    if (cmd == IPC_INFO || cmd == MSG_INFO)
        r->msginfo = u.info;
    else
        r->queue = u.ds;
}

static void call_mq_open(const struct command *c, struct result *r)
{
    struct mq_attr attr;
    memset(&attr, FILL, sizeof attr);
    attr.mq_maxmsg = c->a[4];
    attr.mq_msgsize = c->a[5];
    attr.mq_curmsgs = c->a[6];
    before();
    r->ret = mq_open(mq_name((int)c->a[0]), (int)c->a[1], (mode_t)c->a[2], pointer((enum pointer)c->a[3], &attr));
    after(r);
    if (r->ret >= 0)
        r->cloexec = fcntl((int)r->ret, F_GETFD) & FD_CLOEXEC;
}

/* Until when, or from a now of 0 for how long, to wait. */
const struct timespec *timeout(enum timeout kind, struct timespec *t, const struct timespec *now)
{
    *t = *now;
    switch (kind) {
    case TIMEOUT_NULL: return NULL;
    case TIMEOUT_KERNEL: return pointer(POINTER_KERNEL, NULL);
    case TIMEOUT_NONCANONICAL: return pointer(POINTER_NONCANONICAL, NULL);
    case TIMEOUT_PAST: t->tv_sec--; break;
    case TIMEOUT_ZERO: *t = (struct timespec){ 0, 0 }; break;
    case TIMEOUT_FAR: t->tv_sec += 1000; break;
    case TIMEOUT_MAX: *t = (struct timespec){ LONG_MAX, 999999999 }; break;
    case TIMEOUT_NSEC_NEGATIVE: *t = (struct timespec){ t->tv_sec + 1000, -1 }; break;
    case TIMEOUT_NSEC_BILLION: *t = (struct timespec){ t->tv_sec + 1000, 1000000000 }; break;
    case TIMEOUT_SEC_NEGATIVE: *t = (struct timespec){ -1, 0 }; break;
    default:
        t->tv_nsec += 3000000;
        if (t->tv_nsec >= 1000000000) {
            t->tv_nsec -= 1000000000;
            t->tv_sec++;
        }
    }
    return t;
}

static const struct timespec *deadline(enum timeout kind, struct timespec *t)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return timeout(kind, t, &now);
}

static void call_mq_send(const struct command *c, int mqd, struct result *r)
{
    struct timespec t;
    const char *body = pointer((enum pointer)c->a[1], message.body);
    size_t size = (size_t)c->a[2];
    unsigned prio = (unsigned)c->a[3];
    fill_message(message.body, c->number, size);
    const struct timespec *until = deadline((enum timeout)c->a[4], &t);
    before();
    if (c->a[4] == TIMEOUT_PLAIN)
        r->ret = mq_send(mqd, body, size, prio);
    else
        r->ret = mq_timedsend(mqd, body, size, prio, until);
    after(r);
}

static void call_mq_receive(const struct command *c, int mqd, struct result *r)
{
    struct timespec t;
    char *body = pointer((enum pointer)c->a[1], message.body);
    size_t size = (size_t)c->a[2];
    unsigned prio = 0xfeedbeef, *prio_pointer = pointer((enum pointer)c->a[3], &prio);
    prepare_message(message.body, size);
    const struct timespec *until = deadline((enum timeout)c->a[4], &t);
    before();
    if (c->a[4] == TIMEOUT_PLAIN)
        r->ret = mq_receive(mqd, body, size, prio_pointer);
    else
        r->ret = mq_timedreceive(mqd, body, size, prio_pointer, until);
    after(r);
    look_at_message(message.body, size, r);
    r->prio = prio;
    r->prio_written = prio != 0xfeedbeef;
}

static void call_mq_getattr(const struct command *c, int mqd, struct result *r)
{
    struct mq_attr filled;
    memset(&r->attr, FILL, sizeof r->attr);
    filled = r->attr;
    before();
    r->ret = mq_getattr(mqd, pointer((enum pointer)c->a[1], &r->attr));
    after(r);
    r->written = memcmp(&r->attr, &filled, sizeof filled) != 0;
}

static void call_mq_setattr(const struct command *c, int mqd, struct result *r)
{
    struct mq_attr attr, filled;
    memset(&attr, FILL, sizeof attr);
    attr.mq_flags = c->a[2];
    memset(&r->attr, FILL, sizeof r->attr);
    filled = r->attr;
    before();
    r->ret = mq_setattr(mqd, pointer((enum pointer)c->a[1], &attr), pointer((enum pointer)c->a[3], &r->attr));
    after(r);
    r->written = memcmp(&r->attr, &filled, sizeof filled) != 0;
}

static void call_mq_notify(const struct command *c, int mqd, struct result *r)
{
    static const int how[] = {
        [NOTIFY_NONE] = SIGEV_NONE, [NOTIFY_SIGNAL] = SIGEV_SIGNAL, [NOTIFY_BAD] = 77, [NOTIFY_TID] = SIGEV_THREAD_ID,
    };
    struct sigevent event;
    memset(&event, 0, sizeof event);
    if (c->a[1] != NOTIFY_NULL)
        event.sigev_notify = how[c->a[1]];
    event.sigev_signo = (int)c->a[2];
    event.sigev_value.sival_int = (int)c->a[3];
    before();
    r->ret = mq_notify(mqd, c->a[1] == NOTIFY_NULL ? NULL : &event);
    after(r);
}

/* Makes the call; handle is the identifier, descriptor or address meant. */
void make_call(const struct command *c, long given, struct result *r)
{
    int handle = (int)given;
    switch (c->op) {
    case OP_MSGGET:
        before();
        r->ret = msgget((key_t)c->a[0], (int)c->a[1]);
        after(r);
        break;
    case OP_MSGSND: call_msgsnd(c, handle, r); break;
    case OP_MSGRCV: call_msgrcv(c, handle, r); break;
    case OP_MSGCTL: call_msgctl(c, handle, r); break;
    case OP_SEMGET: case OP_SEMOP: case OP_SEMCTL: call_sem(c, handle, r); break;
    case OP_SHMGET: case OP_SHMAT: case OP_SHMDT: case OP_SHMCTL: call_shm(c, given, r); break;
    case OP_MQ_OPEN: call_mq_open(c, r); break;
    case OP_MQ_CLOSE:
        before();
        r->ret = mq_close(handle);
        after(r);
        break;
    case OP_MQ_UNLINK:
        before();
        r->ret = mq_unlink(mq_name((int)c->a[0]));
        after(r);
        break;
    case OP_MQ_SEND: call_mq_send(c, handle, r); break;
    case OP_MQ_RECEIVE: call_mq_receive(c, handle, r); break;
    case OP_MQ_GETATTR: call_mq_getattr(c, handle, r); break;
    case OP_MQ_SETATTR: call_mq_setattr(c, handle, r); break;
    case OP_MQ_NOTIFY: call_mq_notify(c, handle, r); break;
    default: break;
    }
}
