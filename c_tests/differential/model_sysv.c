/* What the stage knows of the System V objects, learnt from results that must be the same on both sides. */
#include "model.h"

#include <errno.h>
#include <string.h>

struct sysv *model_sysv(struct model *m, enum kind kind, long label)
{
    struct objects *all = &m->sysv[kind];
    for (int i = all->count - 1; i >= 0; i--)
        if (all->at[i].label == label)
            return &all->at[i];
    return NULL;
}

/* An identifier is never used twice within a run, so a removed object keeps its name. */
struct sysv *model_by_id(struct model *m, enum kind kind, int id)
{
    struct objects *all = &m->sysv[kind];
    for (int i = all->count - 1; i >= 0; i--)
        if (all->at[i].id == id)
            return &all->at[i];
    return NULL;
}

int model_live(const struct model *m, enum kind kind)
{
    int live = 0;
    for (int i = 0; i < m->sysv[kind].count; i++)
        live += m->sysv[kind].at[i].live;
    return live;
}

static void begin(struct sysv *o, enum kind kind, const struct command *c)
{
    switch (kind) {
    case MSG:
        o->sender = o->receiver = -1;
        break;
    case SEM:
        o->nsems = c->a[1];
        for (int i = 0; i < VALUES_SHOWN; i++)
            o->operator[i] = -1;
        break;
    default:
        o->bytes = c->a[1];
        o->last = -1;
    }
}

static void learn_get(struct model *m, const struct command *c, const struct result *r)
{
    enum kind kind = kind_of(c->op);
    struct objects *all = &m->sysv[kind];
    if (r->ret < 0 || model_by_id(m, kind, (int)r->ret))
        return;
    const struct worker *w = &m->workers[c->worker];
    all->at = grown(all->at, all->count, &all->room, sizeof *all->at);
    struct sysv *o = &all->at[all->count++];
    memset(o, 0, sizeof *o);
    o->label = c->number;
    o->id = (int)r->ret;
    o->live = true;
    o->uid = w->euid;
    o->gid = w->egid;
    o->changed = m->now;
    begin(o, kind, c);
    if (kind == SHM)
        o->creator = w->past_pid;
}

/* What a dead process leaves to do is done when somebody looks, and its time is the time of that. */
void model_looked(struct model *m, enum kind kind, struct sysv *o, bool at_all)
{
    if (!o->late)
        return;
    o->late = !at_all;
    m->now.to = now_s();
    if (kind == SEM)
        o->operated.to = m->now.to;
    if (kind == SHM)
        o->attached.to = o->detached.to = m->now.to;
}

static void learn_msg(struct model *m, struct sysv *q, const struct command *c, const struct result *r)
{
    if (c->op == OP_MSGSND && r->ret == 0) {
        q->sent = m->now;
        q->sender = m->workers[c->worker].past_pid;
    }
    /* A message that cannot be copied out is gone all the same: the kernel takes it off the queue first. */
    if (c->op == OP_MSGRCV && !(c->a[4] & MSG_COPY) && (r->ret >= 0 || r->err == EFAULT)) {
        q->received = m->now;
        q->receiver = m->workers[c->worker].past_pid;
    }
}

/* The kernel notes a process as soon as it asks for SEM_UNDO, whether or not the operation comes about. */
static void learn_undoer(struct sysv *set, const struct command *c)
{
    for (int i = 0; i < c->a[2] && i < OPERATIONS; i++)
        if (operation(c, i).sem_flg & SEM_UNDO)
            set->undoers |= 1u << c->worker;
}

static void learn_operators(struct model *m, struct sysv *set, const struct command *c)
{
    for (int i = 0; i < VALUES_SHOWN; i++) {
        bool operated = c->op == OP_SEMCTL && (c->a[1] == SETALL || (c->a[1] == SETVAL && c->a[6] == i));
        for (int j = 0; c->op == OP_SEMOP && j < c->a[2] && j < OPERATIONS; j++)
            operated |= operation(c, j).sem_num == i;
        if (operated)
            set->operator[i] = m->workers[c->worker].past_pid;
    }
}

static void learn_sem(struct model *m, struct sysv *set, const struct command *c, const struct result *r)
{
    if (c->op == OP_SEMOP && (r->ret == 0 || (r->err != EINVAL && r->err != E2BIG && r->err != EFAULT)))
        learn_undoer(set, c);
    if (r->ret != 0)
        return;
    if (c->op == OP_SEMOP) {
        set->operated = m->now;
        set->perhaps_never = false;
    }
    if (c->op == OP_SEMCTL && (c->a[1] == SETVAL || c->a[1] == SETALL))
        set->changed = m->now;
    learn_operators(m, set, c);
}

/* These are about all objects and about none. */
static bool is_info(const struct command *c)
{
    return (c->op == OP_MSGCTL && c->a[1] == MSG_INFO) || (c->op == OP_SEMCTL && c->a[1] == SEM_INFO)
        || (c->op == OP_SHMCTL && c->a[1] == SHM_INFO) || c->a[1] == IPC_INFO;
}

/* Of a set. */
static bool looks_at_all(long cmd)
{
    return cmd == IPC_STAT || cmd == SEM_STAT || cmd == SEM_STAT_ANY || cmd == GETALL || cmd == SETALL;
}

/* IPC_SET and IPC_RMID are the same for all kinds. */
static void learn_ctl(struct model *m, struct sysv *o, const struct command *c)
{
    if ((c->a[1] & ~IPC_64) == IPC_RMID && c->op != OP_SHMCTL)
        o->live = false;
    if (c->a[1] == IPC_SET) {
        o->changed = m->now;
        o->denied = 0;
        o->uid = (uid_t)c->a[3];
        o->gid = (gid_t)c->a[4];
    }
}

void learn_sysv(struct model *m, const struct command *c, const struct result *r)
{
    enum kind kind = kind_of(c->op);
    if (c->op == OP_MSGGET || c->op == OP_SEMGET || c->op == OP_SHMGET) {
        learn_get(m, c, r);
        return;
    }
    if (c->op == OP_SHMDT) {
        learn_shm(m, c, r);
        return;
    }
    struct sysv *o = model_sysv(m, kind, c->a[0]);
    bool controls = c->op == OP_MSGCTL || c->op == OP_SEMCTL || c->op == OP_SHMCTL;
    if (!o || (controls && is_info(c)))
        return;
    if (r->ret < 0 && r->err == EACCES)
        o->denied |= 1u << c->worker;
    if (r->ret >= 0)
        model_looked(m, kind, o, kind == SHM || (controls && looks_at_all(c->a[1])));
    if (r->ret == 0 && controls)
        learn_ctl(m, o, c);
    if (kind == MSG)
        learn_msg(m, o, c, r);
    else if (kind == SEM)
        learn_sem(m, o, c, r);
    else
        learn_shm(m, c, r);
}

void learn_blocked(struct model *m, const struct command *c)
{
    struct sysv *set = c->op == OP_SEMOP ? model_sysv(m, SEM, c->a[0]) : NULL;
    if (set)
        learn_undoer(set, c);
}

/* For the kernel the end of a process that asked for SEM_UNDO is an operation, though there be nothing to undo. */
static void learn_undone(struct model *m, struct sysv *set)
{
    bool never = set->operated.to == 0;
    time_t from = m->idle_undo_differs && !never ? set->operated.from : m->now.from;
    set->perhaps_never |= m->idle_undo_differs && never;
    set->operated = (struct window){ from, m->now.to };
    set->late = true;
}

void learn_end(struct model *m, int worker)
{
    m->now.to = now_s();
    for (int i = 0; i < m->sysv[SEM].count; i++) {
        struct sysv *set = &m->sysv[SEM].at[i];
        if (set->live && set->undoers >> worker & 1)
            learn_undone(m, set);
        set->undoers &= ~(1u << worker);
    }
    learn_attachments_end(m, worker);
}
