/* Draws the arguments of the calls on POSIX queues, and of what else is done with descriptors. */
#include "generate.h"

#include <fcntl.h>

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

static const long odd_sizes[] = { 0, 1, 8191, 8192, 8193, 16384, 1L << 31, LONG_MAX, LONG_MIN, -1 };

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
            : draw_percent(r, 75) ? msgsize - 1 + draw_below(r, 3) : DRAW_FROM(r, odd_sizes);
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

void generate_mq(struct generator *g, struct model *m, struct command *c)
{
    const struct worker *w = &m->workers[c->worker];
    if (takes_mqd(c->op) && w->mqd_count == 0 && draw_percent(&g->random, 90))
        c->op = OP_MQ_OPEN;
    switch (c->op) {
    case OP_MQ_OPEN: draw_mq_open(g, m, c); break;
    case OP_MQ_SEND: case OP_MQ_RECEIVE: draw_transfer(g, m, c); break;
    case OP_MQ_SETATTR: draw_mq_setattr(g, w, c); break;
    case OP_MQ_NOTIFY: draw_mq_notify(g, w, c); break;
    default: draw_other(g, w, c);
    }
}
