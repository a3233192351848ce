/* Draws the arguments of a call: mostly such as do something, often at a boundary, sometimes absurd. */
#include "differential.h"

#include <fcntl.h>

static const long sizes[] = { 0, 1, 8191, 8192, 8193, 16384, 1L << 31, LONG_MAX, LONG_MIN, -1 };
static const long modes[] = { 0600, 0666, 0660, 0644, 0640, 0620, 0604, 0000, 0444, 0222, 0777, 0066, 0006 };

static long draw_mode(struct random *r)
{
    if (draw_percent(r, 50))
        return 0666;
    return draw_percent(r, 70) ? DRAW_FROM(r, modes) : draw_below(r, 01000);
}

/* A bad pointer comes seldom: on the kernel it costs the message that was to be received. */
static long draw_pointer(struct generator *g)
{
    if (avoided(g, AVOID_FAULT) || !draw_percent(&g->random, 3))
        return POINTER_GOOD;
    return 1 + draw_below(&g->random, POINTERS - 1);
}

/* Whether to ask for what this worker was refused before: now and then, for the permissions may have changed. */
static bool insists(struct random *r, unsigned denied, int worker)
{
    return !(denied >> worker & 1) || draw_percent(r, 15);
}

static long draw_queue(struct generator *g, struct model *m, int worker)
{
    enum { WINDOW = 24 };
    struct random *r = &g->random;
    bool no_stale = avoided(g, AVOID_STALE_ID);
    bool live = draw_percent(r, 95) || no_stale;
    if ((!draw_percent(r, 97) && !no_stale) || m->queue_count == 0)
        return -1 - draw_below(r, -NO_QUEUE_FIRST);
    for (int tries = 0; tries < 40; tries++) {
        int window = m->queue_count < WINDOW ? m->queue_count : WINDOW;
        const struct queue *q = &m->queues[m->queue_count - 1 - draw_below(r, window)];
        if (q->live == live && insists(r, q->denied, worker))
            return q->label;
    }
    /* Long-lived ones lie outside the window. */
    for (int i = m->queue_count - 1; i >= 0; i--)
        if (m->queues[i].live)
            return m->queues[i].label;
    return -1;
}

static void draw_msgget(struct generator *g, struct model *m, struct command *c)
{
    static const long keys[] = { IPC_PRIVATE, 0x41, 0x42, 0x43, 0x44, -1, INT_MIN, INT_MAX };
    static const long odd[] = { IPC_NOWAIT, 010000, 0x10000, INT_MIN, 0x40000000 };
    struct random *r = &g->random;
    bool full = model_live_queues(m) >= MAX_QUEUES;
    c->a[0] = DRAW_FROM(r, keys);
    if (full && c->a[0] == IPC_PRIVATE)
        c->a[0] = 0x41;
    c->a[1] = draw_mode(r);
    if (draw_percent(r, 20))
        c->a[1] = 0;
    if (!full && draw_percent(r, 65))
        c->a[1] |= IPC_CREAT;
    if (draw_percent(r, 15))
        c->a[1] |= full ? 0 : IPC_EXCL;
    if (draw_percent(r, 4))
        c->a[1] |= DRAW_FROM(r, odd);
}

static long draw_msg_size(struct random *r)
{
    if (draw_percent(r, 75))
        return draw_below(r, 60);
    return draw_percent(r, 60) ? draw_below(r, 4000) : DRAW_FROM(r, sizes);
}

static void draw_msgsnd(struct generator *g, struct model *m, struct command *c)
{
    static const long types[] = { 1, 1, 2, 2, 3, 4, 5, 6, 100, LONG_MAX, LONG_MAX - 1, 1L << 32 };
    static const long bad_types[] = { 0, -1, LONG_MIN };
    struct random *r = &g->random;
    c->a[0] = draw_queue(g, m, c->worker);
    c->a[1] = draw_pointer(g);
    c->a[2] = draw_percent(r, 98) ? DRAW_FROM(r, types) : DRAW_FROM(r, bad_types);
    c->a[3] = draw_msg_size(r);
    c->a[4] = may_wait(g, m, r) ? 0 : IPC_NOWAIT;
    if (draw_percent(r, 5))
        c->a[4] |= (long)(draw(r) & 0x7fffffff & ~(unsigned long)IPC_NOWAIT);
}

static long draw_rcv_flags(struct generator *g, struct model *m)
{
    static const long odd[] = { 0400, 1, 0x10000, 0x40000000, IPC_CREAT };
    struct random *r = &g->random;
    long flags = may_wait(g, m, r) ? 0 : IPC_NOWAIT;
    if (draw_percent(r, 40))
        flags |= MSG_NOERROR;
    if (draw_percent(r, 15))
        flags |= MSG_EXCEPT;
    if (!g->no_copy && draw_percent(r, 15))
        flags |= MSG_COPY;
    if (draw_percent(r, 4))
        flags |= DRAW_FROM(r, odd);
    return flags;
}

static void draw_msgrcv(struct generator *g, struct model *m, struct command *c)
{
    static const long types[] = {
        0, 0, 0, 0, 0, 0, 1, 2, 3, 5, 6, 100, LONG_MAX, 7, 1L << 32,
        -1, -2, -3, -5, -100, -(1L << 32), -LONG_MAX, LONG_MIN,
    };
    static const long copied[] = { -1, LONG_MIN, LONG_MAX, 1L << 32, -5 };
    struct random *r = &g->random;
    c->a[0] = draw_queue(g, m, c->worker);
    c->a[1] = draw_pointer(g);
    c->a[4] = draw_rcv_flags(g, m);
    c->a[2] = DRAW_FROM(r, types);
    if (c->a[4] & MSG_COPY)
        c->a[2] = draw_percent(r, 85) ? draw_below(r, 12) : DRAW_FROM(r, copied);
    c->a[3] = draw_percent(r, 60) ? 8192 : draw_msg_size(r);
}

/* The new owner, as far as the run may give queues away. */
void draw_owner(struct generator *g, struct model *m, struct command *c)
{
    static const long ids[] = { 0, 1000, 1001, 1002, 2000 };
    struct random *r = &g->random;
    const struct worker *w = &m->workers[c->worker];
    const struct queue *q = model_queue(m, c->a[0]);
    enum avoid kind = w->euid == 0 ? AVOID_GIVE_AWAY_ROOT : AVOID_GIVE_AWAY;
    bool stays = draw_percent(r, 60) || avoided(g, kind);
    c->a[3] = stays && q ? (long)q->uid : DRAW_FROM(r, ids);
    c->a[4] = stays && q ? (long)q->gid : DRAW_FROM(r, ids);
    if (draw_percent(r, 3))
        c->a[3 + draw_below(r, 2)] = (long)(uid_t)-1;
}

static void draw_msgctl(struct generator *g, struct model *m, struct command *c)
{
    static const long common[] = {
        IPC_STAT, IPC_STAT, IPC_STAT, IPC_SET, IPC_SET, MSG_STAT, MSG_STAT_ANY, MSG_INFO, IPC_INFO,
    };
    static const long odd[] = { 4, 14, 99, -1, IPC_STAT | 0x100, IPC_RMID | 0x100, INT_MIN, 10 };
    static const long limits[] = { 0, 1, 100, 1000, 16383, 16384, 16384, 16384, 16385, LONG_MAX, -1 };
    struct random *r = &g->random;
    int remove = model_live_queues(m) >= MAX_QUEUES - 2 ? 20 : 5;
    c->a[0] = draw_queue(g, m, c->worker);
    bool odd_cmd = draw_percent(r, 5) && !avoided(g, AVOID_ODD_CMD);
    c->a[1] = odd_cmd ? DRAW_FROM(r, odd) : draw_percent(r, remove) ? IPC_RMID : DRAW_FROM(r, common);
    if ((c->a[1] == MSG_STAT_ANY && avoided(g, AVOID_STAT_ANY)) || (c->a[1] == MSG_INFO && avoided(g, AVOID_INFO)))
        c->a[1] = IPC_STAT;
    c->a[2] = draw_pointer(g);
    draw_owner(g, m, c);
    c->a[5] = draw_mode(r);
    if (draw_percent(r, 10))
        c->a[5] |= (long)(draw(r) & 0xffffe00);
    c->a[6] = DRAW_FROM(r, limits);
    c->a[7] = draw_percent(r, 70);
}

/* The kernel allows a user 800 KiB of queues, in all that the user runs; the run stays far below it. */
static void draw_attr(struct generator *g, struct model *m, struct command *c)
{
    enum { ENOUGH_BYTES = 200000 };
    static const long maxmsgs[] = { 1, 2, 3, 5, 10 }, msgsizes[] = { 1, 8, 64, 100, 256, 1000 };
    static const long bad_maxmsgs[] = { 0, -1, 65537, LONG_MAX, LONG_MIN };
    static const long bad_msgsizes[] = { 0, -1, 16777217, LONG_MAX, LONG_MIN };
    struct random *r = &g->random;
    bool enough = model_mq_bytes(m) > ENOUGH_BYTES;
    c->a[3] = !enough && draw_percent(r, 25) ? POINTER_NULL : POINTER_GOOD;
    if (!avoided(g, AVOID_FAULT) && draw_percent(r, 2))
        c->a[3] = draw_percent(r, 50) ? POINTER_KERNEL : POINTER_NONCANONICAL;
    c->a[4] = enough ? 1 : DRAW_FROM(r, maxmsgs);
    c->a[5] = enough ? 8 : DRAW_FROM(r, msgsizes);
    if (!enough && draw_percent(r, 5))
        c->a[4] = 2, c->a[5] = 8192;
    if (!avoided(g, AVOID_LONG_MQ) && draw_percent(r, 5))
        c->a[4] = 40, c->a[5] = 8;
    if (draw_percent(r, 8))
        c->a[4] = DRAW_FROM(r, bad_maxmsgs);
    if (draw_percent(r, 8))
        c->a[5] = DRAW_FROM(r, bad_msgsizes);
    c->a[6] = draw_percent(r, 50) ? 0 : -7;
}

static long draw_name(struct random *r)
{
    return draw_percent(r, 90) ? draw_below(r, mq_good_names) : draw_below(r, mq_name_count);
}

static long draw_name_to_open(struct random *r, const struct model *m, int worker)
{
    for (int tries = 0; tries < 10; tries++) {
        long name = draw_name(r);
        int object = model_named_object(m, (int)name);
        if (object < 0 || insists(r, m->objects[object].denied, worker))
            return name;
    }
    return 0;
}

static void draw_mq_open(struct generator *g, struct model *m, struct command *c)
{
    enum { MANY_BYTES = 300000 };
    static const long odd[] = { O_CLOEXEC, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_NOCTTY, O_SYNC, 1 << 30 };
    static const long odder[] = { O_PATH, O_DIRECT, O_ASYNC, O_TMPFILE };
    struct random *r = &g->random;
    long at = draw_below(r, 100);
    c->a[0] = draw_name_to_open(r, m, c->worker);
    c->a[1] = at < 12 ? O_RDONLY : at < 24 ? O_WRONLY : at < 96 ? O_RDWR : O_ACCMODE;
    if (draw_percent(r, 60) && model_mq_bytes(m) < MANY_BYTES)
        c->a[1] |= O_CREAT;
    if (draw_percent(r, 12))
        c->a[1] |= O_EXCL;
    if (draw_percent(r, 80))
        c->a[1] |= O_NONBLOCK;
    if (!avoided(g, AVOID_ODD_OFLAGS) && draw_percent(r, 5))
        c->a[1] |= draw_percent(r, 85) ? DRAW_FROM(r, odd) : DRAW_FROM(r, odder);
    c->a[2] = draw_mode(r);
    if (draw_percent(r, 5))
        c->a[2] |= draw_below(r, 8) << 9;
    draw_attr(g, m, c);
}

static long draw_mqd(struct generator *g, const struct worker *w)
{
    struct random *r = &g->random;
    bool open = draw_percent(r, 95);
    if (w->mqd_count == 0 || !draw_percent(r, 97))
        return -1 - draw_below(r, -NO_MQD_FIRST);
    for (int tries = 0; tries < 20; tries++) {
        const struct mqd *d = &w->mqds[draw_below(r, w->mqd_count)];
        if (d->open == open)
            return d->label;
    }
    return w->mqds[0].label;
}

/* One that mostly is open for what is to be done with it. */
static long draw_mqd_for(struct generator *g, const struct model *m, const struct worker *w, enum op op)
{
    long label = -1;
    for (int tries = 0; tries < 5; tries++) {
        label = draw_mqd(g, w);
        const struct mqd *d = model_mqd((struct worker *)w, label);
        int access = d ? m->descriptions[d->description].access : O_RDWR;
        if (access == O_RDWR || access == (op == OP_MQ_SEND ? O_WRONLY : O_RDONLY))
            break;
    }
    return label;
}

static long draw_timeout(struct generator *g, struct model *m, const struct mqd *d)
{
    static const long sleepy[] = { TIMEOUT_PLAIN, TIMEOUT_PLAIN, TIMEOUT_NULL, TIMEOUT_FAR, TIMEOUT_MAX };
    static const long quick[] = {
        TIMEOUT_PAST, TIMEOUT_PAST, TIMEOUT_PAST, TIMEOUT_PAST, TIMEOUT_PAST, TIMEOUT_PAST, TIMEOUT_PAST,
        TIMEOUT_ZERO, TIMEOUT_ZERO, TIMEOUT_NSEC_NEGATIVE, TIMEOUT_NSEC_BILLION, TIMEOUT_SEC_NEGATIVE,
    };
    struct random *r = &g->random;
    if (!avoided(g, AVOID_FAULT) && draw_percent(r, 2))
        return draw_percent(r, 50) ? TIMEOUT_KERNEL : TIMEOUT_NONCANONICAL;
    bool sleeps = d && !m->descriptions[d->description].nonblock;
    if (sleeps ? may_wait(g, m, r) : draw_percent(r, 80))
        return DRAW_FROM(r, sleepy);
    return sleeps && draw_percent(r, 4) ? TIMEOUT_NEAR : DRAW_FROM(r, quick);
}

static void draw_transfer(struct generator *g, struct model *m, struct command *c)
{
    static const long prios[] = { 0, 0, 0, 1, 1, 2, 3, 31, 32, 63, 64, 1023, 32767, 32766 };
    static const long bad_prios[] = { 32768, UINT_MAX, INT_MAX };
    struct random *r = &g->random;
    struct worker *w = &m->workers[c->worker];
    c->a[0] = draw_mqd_for(g, m, w, c->op);
    const struct mqd *d = model_mqd(w, c->a[0]);
    long msgsize = d ? model_object(m, d)->msgsize : 64;
    bool sends = c->op == OP_MQ_SEND;
    c->a[1] = draw_pointer(g);
    c->a[2] = !sends && draw_percent(r, 85) ? msgsize + draw_below(r, 2)
            : sends && draw_percent(r, 70) ? draw_below(r, msgsize < 200 ? msgsize + 1 : 200)
            : draw_percent(r, 75) ? msgsize - 1 + draw_below(r, 3) : DRAW_FROM(r, sizes);
    if (sends)
        c->a[3] = draw_percent(r, 96) ? DRAW_FROM(r, prios) : DRAW_FROM(r, bad_prios);
    else
        c->a[3] = draw_percent(r, 90) ? POINTER_GOOD : draw_percent(r, 80) ? POINTER_NULL : draw_pointer(g);
    c->a[4] = draw_timeout(g, m, d);
}

static void draw_mq_setattr(struct generator *g, const struct worker *w, struct command *c)
{
    static const long odd[] = { 1, O_RDWR, O_NONBLOCK | 1, -1, LONG_MIN, O_NONBLOCK | O_APPEND };
    struct random *r = &g->random;
    c->a[0] = draw_mqd(g, w);
    c->a[1] = draw_percent(r, 10) ? POINTER_NULL : draw_pointer(g);
    c->a[2] = draw_percent(r, 85) ? (draw_percent(r, 80) ? O_NONBLOCK : 0) : DRAW_FROM(r, odd);
    c->a[3] = draw_percent(r, 30) ? POINTER_NULL : draw_pointer(g);
}

static void draw_mq_notify(struct generator *g, const struct worker *w, struct command *c)
{
    static const long kinds[] = { NOTIFY_NULL, NOTIFY_NULL, NOTIFY_NULL, NOTIFY_NONE, NOTIFY_BAD, NOTIFY_TID };
    struct random *r = &g->random;
    c->a[0] = draw_mqd(g, w);
    c->a[1] = draw_percent(r, 65) ? NOTIFY_SIGNAL : DRAW_FROM(r, kinds);
    c->a[2] = notify_signals[draw_percent(r, 90) ? draw_below(r, 5) : draw_below(r, notify_signal_count)];
    c->a[3] = draw_below(r, 1000);
}

static void draw_other(struct generator *g, const struct worker *w, struct command *c)
{
    static const long ids[] = { 0, 0, 1000, 1000, 1001, 1002 };
    static const long masks[] = { 0, 0, 0, 022, 027, 077, 0777, 0200 };
    struct random *r = &g->random;
    switch (c->op) {
    case OP_MQ_CLOSE: case OP_POLL: case OP_CLOSE: case OP_DUP2_OVER: c->a[0] = draw_mqd(g, w); break;
    case OP_MQ_UNLINK: c->a[0] = draw_name(r); break;
    case OP_MQ_GETATTR:
        c->a[0] = draw_mqd(g, w);
        c->a[1] = draw_pointer(g);
        break;
    case OP_DUP:
        c->a[0] = draw_mqd(g, w);
        c->a[1] = draw_below(r, 3);
        break;
    case OP_UMASK: c->a[0] = DRAW_FROM(r, masks); break;
    case OP_SETEUID: case OP_SETEGID: c->a[0] = DRAW_FROM(r, ids); break;
    case OP_SETGROUPS: c->a[0] = draw_below(r, identity_count); break;
    default: break;
    }
}

static bool takes_mqd(enum op op)
{
    return op == OP_MQ_CLOSE || (op >= OP_MQ_SEND && op <= OP_DUP2_OVER);
}

void generate_call(struct generator *g, struct model *m, struct command *c)
{
    const struct worker *w = &m->workers[c->worker];
    if (takes_mqd(c->op) && w->mqd_count == 0 && draw_percent(&g->random, 90))
        c->op = OP_MQ_OPEN;
    if ((c->op == OP_MSGSND || c->op == OP_MSGRCV) && model_live_queues(m) == 0)
        c->op = OP_MSGGET;
    switch (c->op) {
    case OP_MSGGET: draw_msgget(g, m, c); break;
    case OP_MSGSND: draw_msgsnd(g, m, c); break;
    case OP_MSGRCV: draw_msgrcv(g, m, c); break;
    case OP_MSGCTL: draw_msgctl(g, m, c); break;
    case OP_MQ_OPEN: draw_mq_open(g, m, c); break;
    case OP_MQ_SEND: case OP_MQ_RECEIVE: draw_transfer(g, m, c); break;
    case OP_MQ_SETATTR: draw_mq_setattr(g, w, c); break;
    case OP_MQ_NOTIFY: draw_mq_notify(g, w, c); break;
    default: draw_other(g, w, c);
    }
}
