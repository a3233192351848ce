/* Draws the arguments of the calls on System V message queues. */
#include "generate.h"

static const long sizes[] = { 0, 1, 8191, 8192, 8193, 16384, 1L << 31, LONG_MAX, LONG_MIN, -1 };

static void draw_msgget(struct generator *g, struct model *m, struct command *c)
{
    static const long keys[] = { IPC_PRIVATE, 0x41, 0x42, 0x43, 0x44, -1, INT_MIN, INT_MAX };
    bool full = model_live(m, MSG) >= MAX_QUEUES;
    c->a[0] = DRAW_FROM(&g->random, keys);
    if (full && c->a[0] == IPC_PRIVATE)
        c->a[0] = 0x41;
    c->a[1] = draw_get_flags(g, !full);
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
    c->a[0] = draw_sysv(g, m, MSG, c->worker);
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
    c->a[0] = draw_sysv(g, m, MSG, c->worker);
    c->a[1] = draw_pointer(g);
    c->a[4] = draw_rcv_flags(g, m);
    c->a[2] = DRAW_FROM(r, types);
    if (c->a[4] & MSG_COPY)
        c->a[2] = draw_percent(r, 85) ? draw_below(r, 12) : DRAW_FROM(r, copied);
    c->a[3] = draw_percent(r, 60) ? 8192 : draw_msg_size(r);
}

static void draw_msgctl(struct generator *g, struct model *m, struct command *c)
{
    static const long common[] = {
        IPC_STAT, IPC_STAT, IPC_STAT, IPC_SET, IPC_SET, MSG_STAT, MSG_STAT_ANY, MSG_INFO, IPC_INFO,
    };
    static const long limits[] = { 0, 1, 100, 1000, 16383, 16384, 16384, 16384, 16385, LONG_MAX, -1 };
    draw_ctl(g, m, c, common, LENGTH(common), MAX_QUEUES);
    c->a[6] = DRAW_FROM(&g->random, limits);
}

void generate_msg(struct generator *g, struct model *m, struct command *c)
{
    if (c->op != OP_MSGCTL && model_live(m, MSG) == 0)
        c->op = OP_MSGGET;
    switch (c->op) {
    case OP_MSGGET: draw_msgget(g, m, c); break;
    case OP_MSGSND: draw_msgsnd(g, m, c); break;
    case OP_MSGRCV: draw_msgrcv(g, m, c); break;
    default: draw_msgctl(g, m, c);
    }
}
