/* Draws the arguments that the calls on System V objects have in common: mostly such as do something, often at a
 * boundary, sometimes absurd. */
#include "generate.h"

static const long modes[] = { 0600, 0666, 0660, 0644, 0640, 0620, 0604, 0000, 0444, 0222, 0777, 0066, 0006 };

long draw_mode(struct random *r)
{
    if (draw_percent(r, 50))
        return 0666;
    return draw_percent(r, 70) ? DRAW_FROM(r, modes) : draw_below(r, 01000);
}

/* A bad pointer comes seldom: on the kernel it costs the message that was to be received. */
long draw_pointer(struct generator *g)
{
    if (avoided(g, AVOID_FAULT) || !draw_percent(&g->random, 3))
        return POINTER_GOOD;
    return 1 + draw_below(&g->random, POINTERS - 1);
}

/* Whether to ask for what this worker was refused before: now and then, for the permissions may have changed. */
bool insists(struct random *r, unsigned denied, int worker)
{
    return !(denied >> worker & 1) || draw_percent(r, 15);
}

long draw_sysv(struct generator *g, struct model *m, enum kind kind, int worker)
{
    enum { WINDOW = 24 };
    struct random *r = &g->random;
    const struct objects *all = &m->sysv[kind];
    bool no_stale = avoided(g, AVOID_STALE_ID);
    bool live = draw_percent(r, 95) || no_stale;
    if ((!draw_percent(r, 97) && !no_stale) || all->count == 0)
        return -1 - draw_below(r, -NO_ID_FIRST);
    for (int tries = 0; tries < 40; tries++) {
        int window = all->count < WINDOW ? all->count : WINDOW;
        const struct sysv *o = &all->at[all->count - 1 - draw_below(r, window)];
        if (o->live == live && insists(r, o->denied, worker))
            return o->label;
    }
    /* Long-lived ones lie outside the window. */
    for (int i = all->count - 1; i >= 0; i--)
        if (all->at[i].live)
            return all->at[i].label;
    return -1;
}

long draw_get_flags(struct generator *g, bool room)
{
    static const long odd[] = { IPC_NOWAIT, 010000, 0x10000, INT_MIN, 0x40000000 };
    struct random *r = &g->random;
    long flags = draw_percent(r, 20) ? 0 : draw_mode(r);
    if (room && draw_percent(r, 65))
        flags |= IPC_CREAT;
    if (room && draw_percent(r, 15))
        flags |= IPC_EXCL;
    if (draw_percent(r, 4))
        flags |= DRAW_FROM(r, odd);
    return flags;
}

void draw_owner(struct generator *g, struct model *m, struct command *c)
{
    static const long ids[] = { 0, 1000, 1001, 1002, 2000 };
    struct random *r = &g->random;
    const struct worker *w = &m->workers[c->worker];
    const struct sysv *o = model_sysv(m, kind_of(c->op), c->a[0]);
    enum avoid kind = w->euid == 0 ? AVOID_GIVE_AWAY_ROOT : AVOID_GIVE_AWAY;
    bool stays = draw_percent(r, 60) || avoided(g, kind);
    c->a[3] = stays && o ? (long)o->uid : DRAW_FROM(r, ids);
    c->a[4] = stays && o ? (long)o->gid : DRAW_FROM(r, ids);
    if (draw_percent(r, 3))
        c->a[3 + draw_below(r, 2)] = (long)(uid_t)-1;
}

void draw_ctl(struct generator *g, struct model *m, struct command *c, const long *common, int count, int max)
{
    static const long odd[] = { 4, 10, 21, 22, 99, -1, IPC_STAT | 0x100, IPC_RMID | 0x100, INT_MIN };
    static const long any[KINDS] = { MSG_STAT_ANY, SEM_STAT_ANY, SHM_STAT_ANY };
    static const long info[KINDS] = { MSG_INFO, SEM_INFO, SHM_INFO };
    struct random *r = &g->random;
    enum kind kind = kind_of(c->op);
    int remove = model_live(m, kind) >= max - 2 ? 20 : 5;
    c->a[0] = draw_sysv(g, m, kind, c->worker);
    c->a[1] = draw_percent(r, remove) ? IPC_RMID : common[draw_below(r, count)];
    if (draw_percent(r, 4) && !avoided(g, AVOID_ODD_CMD))
        c->a[1] = DRAW_FROM(r, odd);
    if ((c->a[1] == any[kind] && avoided(g, AVOID_STAT_ANY)) || (c->a[1] == info[kind] && avoided(g, AVOID_INFO)))
        c->a[1] = IPC_STAT;
    c->a[2] = draw_pointer(g);
    draw_owner(g, m, c);
    c->a[5] = draw_mode(r);
    if (draw_percent(r, 10))
        c->a[5] |= (long)(draw(r) & 0xffffe00);
    c->a[7] = draw_percent(r, 70);
}
