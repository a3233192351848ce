/* Which commands make sense, and what their labels stand for. */
#include "model.h"

static bool waits_long(long timeout)
{
    return timeout == TIMEOUT_PLAIN || timeout == TIMEOUT_NULL || timeout == TIMEOUT_FAR || timeout == TIMEOUT_MAX;
}

static bool all_nowait(const struct command *c)
{
    bool all = true;
    for (int i = 0; i < c->a[2] && i < OPERATIONS; i++)
        all &= (operation(c, i).sem_flg & IPC_NOWAIT) != 0;
    return all;
}

bool may_block(const struct command *c)
{
    if (c->op == OP_MSGSND || c->op == OP_MSGRCV)
        return !(c->a[4] & IPC_NOWAIT);
    if (c->op == OP_SEMOP)
        return waits_long(c->a[3]) && !all_nowait(c);
    return (c->op == OP_MQ_SEND || c->op == OP_MQ_RECEIVE) && waits_long(c->a[4]);
}

/* Commands whose outcome on the kernel would depend on the scheduler, or that no longer make sense because
 * a script has lost the command they rest on. */
bool senseless(struct model *m, const struct command *c)
{
    struct worker *w = &m->workers[c->worker];
    if (c->op == OP_SPAWN)
        return w->alive;
    if (c->op == OP_SECOND)
        return false;
    if (!w->alive || (w->blocked && c->op != OP_KILL && c->op != OP_SIGNAL))
        return true;
    if (c->op == OP_FORK)
        return m->workers[c->a[0]].alive;
    /* Exec by a process whose real and effective identities differ drops LD_PRELOAD. */
    if (c->op == OP_EXEC)
        return w->ruid != w->euid || w->rgid != w->egid;
    if ((c->op == OP_MQ_OPEN || c->op == OP_DUP) && w->mqd_count == MAX_MQDS)
        return true;
    /* The one attached over another one's middle makes two of it. */
    if (c->op == OP_SHMAT && w->piece_count + 2 > MAX_PIECES)
        return true;
    if (may_block(c) && model_count(m, true) >= MAX_BLOCKED)
        return true;
    /* The kernel wakes all senders that fit and lets them race. */
    if (c->op == OP_MSGSND && may_block(c) && model_blocked_on(m, OP_MSGSND, c->a[0]) > 0)
        return true;
    /* IPC_SET wakes everybody asleep on the queue, who try again in the order in which they run. */
    int sleepers = model_blocked_on(m, OP_MSGRCV, c->a[0]) + model_blocked_on(m, OP_MSGSND, c->a[0]);
    return c->op == OP_MSGCTL && c->a[1] == IPC_SET && sleepers > 1;
}

static bool sysv_handle(struct model *m, const struct command *c, long *handle)
{
    static const long by_index[KINDS][2] = {
        { MSG_STAT, MSG_STAT_ANY }, { SEM_STAT, SEM_STAT_ANY }, { SHM_STAT, SHM_STAT_ANY },
    };
    enum kind kind = kind_of(c->op);
    bool controls = c->op == OP_MSGCTL || c->op == OP_SEMCTL || c->op == OP_SHMCTL;
    /* These look at nothing but the index, and whose index a removed object had is anybody's now. */
    bool stats = controls && (c->a[1] == by_index[kind][0] || c->a[1] == by_index[kind][1]);
    const struct sysv *o = model_sysv(m, kind, c->a[0]);
    if (c->a[0] < 0) {
        *handle = no_ids[-1 - c->a[0]];
        return !stats || *handle < 0 || *handle == INT_MAX;
    }
    if (!o)
        return false;
    *handle = stats && c->a[7] ? o->id & 0x7fff : o->id;
    return o->live || !stats;
}

/* Memory outside the region belongs to the process, and what lies beside an attachment there is not the same on both
 * sides: only the attachment itself is touched. */
static bool address(struct model *m, const struct command *c, long *handle)
{
    const struct piece *piece = model_piece(&m->workers[c->worker], c->a[0]);
    if (c->a[0] < 0)
        *handle = no_addresses[-1 - c->a[0]];
    else if (piece)
        *handle = (long)piece->base;
    bool in_region = piece && piece->base >= REGION && piece->base < REGION + PLACES * PLACE_BYTES;
    if (c->op == OP_SHMDT)
        return c->a[0] < 0 || (piece && (in_region || c->a[1] == 0 || c->a[1] % PAGE != 0));
    if (!piece || c->a[1] < 0 || c->a[2] < 0 || c->a[2] > piece->bytes)
        return false;
    return c->a[1] + c->a[2] <= piece->bytes + (in_region ? PAGE : 0);
}

/* What a command's label stands for; false where it names nothing any more. */
bool handle_of(struct model *m, const struct command *c, long *handle)
{
    *handle = -1;
    if (c->op == OP_MSGGET || c->op == OP_SEMGET || c->op == OP_SHMGET)
        return true;
    if (c->op == OP_SHMDT || c->op == OP_PEEK || c->op == OP_POKE)
        return address(m, c, handle);
    if (c->op <= OP_SHMCTL)
        return sysv_handle(m, c, handle);
    bool takes_mqd = c->op == OP_MQ_CLOSE || (c->op >= OP_MQ_SEND && c->op <= OP_DUP2_OVER);
    if (!takes_mqd)
        return true;
    const struct mqd *d = model_mqd(&m->workers[c->worker], c->a[0]);
    if (c->a[0] < 0)
        *handle = no_mqd_fds[-1 - c->a[0]];
    else if (d)
        *handle = d->fd;
    bool by_number = c->op == OP_DUP || c->op == OP_CLOSE || c->op == OP_DUP2_OVER || c->op == OP_POLL;
    return by_number ? d && d->open : c->a[0] < 0 || d;
}
