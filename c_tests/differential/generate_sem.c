/* Draws the arguments of the calls on semaphores. Few sets, few semaphores and small values, so that the calls have
 * to do with one another. */
#include "generate.h"

static void draw_semget(struct generator *g, struct model *m, struct command *c)
{
    static const long keys[] = { IPC_PRIVATE, 0x51, 0x52, 0x53, 0x53, -1 };
    static const long few[] = { 1, 1, 2, 2, 3, 3, 4, 5, 8 };
    static const long odd[] = { 0, 0, 64, 65, 130, 500, 31999, 32000, 32001, -1, INT_MIN, INT_MAX };
    struct random *r = &g->random;
    bool full = model_live(m, SEM) >= MAX_SETS;
    c->a[0] = DRAW_FROM(r, keys);
    if (full && c->a[0] == IPC_PRIVATE)
        c->a[0] = 0x51;
    c->a[1] = draw_percent(r, 85) ? DRAW_FROM(r, few) : DRAW_FROM(r, odd);
    if (draw_percent(r, 25))
        c->a[1] = 0;
    c->a[2] = draw_get_flags(g, !full);
    if (c->a[2] & IPC_CREAT && c->a[1] == 0 && draw_percent(r, 80))
        c->a[1] = 2;
}

/* Mostly one on which somebody sleeps, so that there come to be many. */
static long draw_set(struct generator *g, struct model *m, int worker)
{
    struct random *r = &g->random;
    int from = (int)draw_below(r, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        const struct worker *w = &m->workers[(from + i) % WORKERS];
        if (!w->alive || !w->blocked || w->blocked_in.op != OP_SEMOP)
            continue;
        const struct sysv *set = model_sysv(m, SEM, w->blocked_in.a[0]);
        if (set && insists(r, set->denied, worker) && draw_percent(r, 50))
            return set->label;
    }
    return draw_sysv(g, m, SEM, worker);
}

/* The first ones come most often. */
static long draw_semaphore(struct generator *g, struct model *m, long label)
{
    static const long odd[] = { 65535, 32000, 64, -1 };
    struct random *r = &g->random;
    const struct sysv *set = model_sysv(m, SEM, label);
    long nsems = set ? set->nsems : 2;
    if (draw_percent(r, 2))
        return draw_percent(r, 50) ? nsems : DRAW_FROM(r, odd);
    return draw_below(r, draw_percent(r, 90) && nsems > 3 ? 3 : nsems);
}

static void set_operation(struct command *c, int i, long number, long value, long flags)
{
    long *a = &c->a[4 + 3 * i];
    a[0] = number & 0xffff;
    a[1] = (short)value;
    a[2] = (short)flags;
}

static void draw_operation(struct generator *g, struct model *m, struct command *c, int i, int nowait_percent)
{
    static const long usual[] = { -1, -1, -1, -1, -1, 1, 1, 1, 0, 0, -2, 2, -3, 3, -5 };
    static const long patient[] = { -1, -2, -2, -3, -4, 0, 0, 1 };
    static const long extreme[] = { 32767, 32766, 100, -32767, -32768, -100 };
    static const long odd[] = { 1, 010000 | SEM_UNDO, -1, 0x7fff & ~IPC_NOWAIT };
    struct random *r = &g->random;
    bool waits = nowait_percent < 100 && draw_percent(r, 50);
    long value = waits ? DRAW_FROM(r, patient) : draw_percent(r, 98) ? DRAW_FROM(r, usual) : DRAW_FROM(r, extreme);
    long flags = draw_percent(r, nowait_percent) ? IPC_NOWAIT : 0;
    if (!avoided(g, AVOID_UNDO) && draw_percent(r, g->phase->undo_percent))
        flags |= SEM_UNDO;
    if (draw_percent(r, 1) && !avoided(g, AVOID_UNDO))
        flags |= DRAW_FROM(r, odd);
    set_operation(c, i, draw_semaphore(g, m, c->a[0]), value, flags);
}

static long draw_nsops(struct random *r)
{
    static const long odd[] = { 0, 0, 500, 500, 501, 1L << 32 | 1, UINT_MAX, -1 };
    if (draw_percent(r, 1))
        return DRAW_FROM(r, odd);
    return draw_percent(r, 50) ? 1 : draw_percent(r, 50) ? 2 : 2 + draw_below(r, OPERATIONS - 1);
}

static long draw_sem_timeout(struct generator *g, bool sleeps, int *nowait_percent)
{
    static const long sleepy[] = {
        TIMEOUT_PLAIN, TIMEOUT_PLAIN, TIMEOUT_PLAIN, TIMEOUT_NULL, TIMEOUT_FAR, TIMEOUT_MAX,
    };
    static const long bad[] = { TIMEOUT_NSEC_NEGATIVE, TIMEOUT_NSEC_BILLION, TIMEOUT_SEC_NEGATIVE };
    struct random *r = &g->random;
    *nowait_percent = 15;
    if (!avoided(g, AVOID_FAULT) && draw_percent(r, 1))
        return draw_percent(r, 50) ? TIMEOUT_KERNEL : TIMEOUT_NONCANONICAL;
    if (draw_percent(r, 2))
        return DRAW_FROM(r, bad);
    if (sleeps)
        return DRAW_FROM(r, sleepy);
    if (draw_percent(r, 30))
        return draw_percent(r, 6) ? TIMEOUT_NEAR : TIMEOUT_ZERO;
    *nowait_percent = 100;
    return TIMEOUT_PLAIN;
}

/* Several that only wait for zero do not sleep. */
static void hurry_zeros(struct command *c)
{
    int count = c->a[2] < OPERATIONS ? (int)c->a[2] : OPERATIONS;
    for (int i = 0; i < count; i++)
        if (count < 2 || operation(c, i).sem_op)
            return;
    for (int i = 0; i < count; i++) {
        struct sembuf o = operation(c, i);
        set_operation(c, i, o.sem_num, o.sem_op, o.sem_flg | IPC_NOWAIT);
    }
}

static void draw_semop(struct generator *g, struct model *m, struct command *c)
{
    struct random *r = &g->random;
    int nowait_percent;
    c->a[0] = draw_set(g, m, c->worker);
    c->a[1] = draw_pointer(g);
    c->a[2] = draw_nsops(r);
    c->a[3] = draw_sem_timeout(g, may_wait(g, m, r), &nowait_percent);
    for (int i = 0; i < OPERATIONS; i++)
        if (i < c->a[2])
            draw_operation(g, m, c, i, nowait_percent);
    if (avoided(g, AVOID_ZEROS))
        hurry_zeros(c);
}

static void draw_value(struct generator *g, struct command *c)
{
    static const long odd[] = { 32767, 32766, 32768, -1, INT_MIN, INT_MAX, 65536 };
    struct random *r = &g->random;
    if (c->a[1] == SETALL)
        c->a[8] = draw_percent(r, 95) ? draw_below(r, 1 << 16) & 0x3333 : -1 - draw_below(r, 3);
    else
        c->a[8] = draw_percent(r, 95) ? draw_below(r, 4) : DRAW_FROM(r, odd);
}

static void draw_semctl(struct generator *g, struct model *m, struct command *c)
{
    static const long common[] = {
        IPC_STAT, IPC_STAT, IPC_SET, SEM_STAT, SEM_STAT_ANY, SEM_INFO, IPC_INFO, GETALL, GETALL, GETVAL, GETVAL,
        GETPID, GETPID, GETNCNT, GETNCNT, GETNCNT, GETZCNT, GETZCNT, SETVAL, SETVAL, SETVAL, SETALL, SETALL,
    };
    draw_ctl(g, m, c, common, LENGTH(common), MAX_SETS);
    if (c->a[1] != IPC_SET && draw_percent(&g->random, 50))
        c->a[0] = draw_set(g, m, c->worker);
    c->a[6] = draw_semaphore(g, m, c->a[0]);
    draw_value(g, c);
}

/* Undoes what keeps a sleeper from going on, or some of it. */
static void draw_opposite(struct generator *g, struct model *m, const struct command *sleeper, struct command *c)
{
    struct random *r = &g->random;
    int count = sleeper->a[2] < OPERATIONS ? (int)sleeper->a[2] : OPERATIONS;
    c->op = OP_SEMOP;
    c->a[1] = POINTER_GOOD;
    c->a[2] = 0;
    c->a[3] = TIMEOUT_PLAIN;
    for (int i = 0; i < count; i++) {
        struct sembuf o = operation(sleeper, i);
        if (o.sem_op > 0 || draw_percent(r, 20))
            continue;
        long value = o.sem_op < 0 ? -o.sem_op - draw_percent(r, 15) : -1;
        long undo = !avoided(g, AVOID_UNDO) && draw_percent(r, g->phase->undo_percent) ? SEM_UNDO : 0;
        set_operation(c, (int)c->a[2]++, o.sem_num, value, IPC_NOWAIT | undo);
    }
    if (c->a[2] == 0) {
        c->a[2] = 1;
        draw_operation(g, m, c, 0, 100);
    }
}

void answer_semop(struct generator *g, struct model *m, const struct command *sleeper, struct command *c)
{
    struct random *r = &g->random;
    struct sembuf o = operation(sleeper, (int)draw_below(r, sleeper->a[2] < OPERATIONS ? sleeper->a[2] : OPERATIONS));
    long at = draw_below(r, 100);
    c->a[0] = sleeper->a[0];
    if (at < 60) {
        draw_opposite(g, m, sleeper, c);
        return;
    }
    if (at < 70) {
        c->op = OP_SEMOP;
        draw_semop(g, m, c);
    } else {
        c->op = OP_SEMCTL;
        draw_semctl(g, m, c);
        c->a[1] = at < 90 ? SETVAL : at < 95 ? SETALL : at < 98 ? IPC_SET : IPC_RMID;
        draw_value(g, c);
        c->a[6] = o.sem_num;
        if (c->a[1] == SETVAL && draw_percent(r, 80))
            c->a[8] = o.sem_op < 0 ? -o.sem_op : 0;
    }
    c->a[0] = sleeper->a[0];
    if (c->a[1] == IPC_SET && c->op == OP_SEMCTL)
        draw_owner(g, m, c);
}

void generate_sem(struct generator *g, struct model *m, struct command *c)
{
    if (c->op == OP_SEMOP && model_live(m, SEM) == 0)
        c->op = OP_SEMGET;
    switch (c->op) {
    case OP_SEMGET: draw_semget(g, m, c); break;
    case OP_SEMOP: draw_semop(g, m, c); break;
    default: draw_semctl(g, m, c);
    }
}
