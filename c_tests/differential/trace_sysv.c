/* What came of the control calls on System V objects. */
#include "model.h"

static void put_perm(const struct sysv *o, const struct ipc_perm *p)
{
    put(" {key=%#x uid=%u gid=%u cuid=%u cgid=%u mode=%#o seq=%s", (unsigned)p->__key, p->uid, p->gid, p->cuid,
        p->cgid, p->mode, p->__seq == o->id >> 15 ? "ok" : "wrong");
}

static void put_msqid_ds(struct model *m, const struct sysv *q, const struct msqid_ds *ds)
{
    put_perm(q, &ds->msg_perm);
    put_time("stime", ds->msg_stime, q->sent);
    put_time("rtime", ds->msg_rtime, q->received);
    put_time("ctime", ds->msg_ctime, q->changed);
    put(" cbytes=%lu qnum=%lu qbytes=%lu lspid=", ds->__msg_cbytes, ds->msg_qnum, ds->msg_qbytes);
    put_pid(m, ds->msg_lspid, q->sender);
    put(" lrpid=");
    put_pid(m, ds->msg_lrpid, q->receiver);
    put("}");
}

void put_semid_ds(const struct sysv *s, const struct semid_ds *ds)
{
    put_perm(s, &ds->sem_perm);
    if (ds->sem_otime == 0 && s->perhaps_never)
        put(" otime=last");
    else
        put_time("otime", ds->sem_otime, s->operated);
    put_time("ctime", ds->sem_ctime, s->changed);
    put(" nsems=%lu}", ds->sem_nsems);
}

void put_shmid_ds(struct model *m, const struct sysv *s, const struct shmid_ds *ds)
{
    put_perm(s, &ds->shm_perm);
    put_time("atime", ds->shm_atime, s->attached);
    put_time("dtime", ds->shm_dtime, s->detached);
    put_time("ctime", ds->shm_ctime, s->changed);
    put(" segsz=%zu nattch=%lu cpid=", ds->shm_segsz, ds->shm_nattch);
    put_pid(m, ds->shm_cpid, s->creator);
    put(" lpid=");
    put_pid(m, ds->shm_lpid, s->last);
    put("}");
}

static int highest_index(const struct model *m, enum kind kind)
{
    const struct objects *all = &m->sysv[kind];
    int highest = 0;
    for (int i = 0; i < all->count; i++)
        if (all->at[i].live && (all->at[i].id & 0x7fff) > highest)
            highest = all->at[i].id & 0x7fff;
    return highest;
}

static void put_highest(const struct model *m, enum kind kind, long ret)
{
    put(" highest=%s", ret == highest_index(m, kind) ? "ok" : "wrong");
}

static void put_msginfo(struct model *m, const struct result *r)
{
    const struct msginfo *i = &r->msginfo;
    put_highest(m, MSG, r->ret);
    put(" {msgpool=%d msgmap=%d msgmax=%d msgmnb=%d msgmni=%d msgssz=%d msgtql=%d msgseg=%d}", i->msgpool, i->msgmap,
        i->msgmax, i->msgmnb, i->msgmni, i->msgssz, i->msgtql, i->msgseg);
}

static void put_seminfo(struct model *m, const struct result *r)
{
    const struct seminfo *i = &r->seminfo;
    put_highest(m, SEM, r->ret);
    put(" {semmap=%d semmni=%d semmns=%d semmnu=%d semmsl=%d semopm=%d semume=%d semusz=%d semvmx=%d semaem=%d}",
        i->semmap, i->semmni, i->semmns, i->semmnu, i->semmsl, i->semopm, i->semume, i->semusz, i->semvmx, i->semaem);
}

static void put_shminfo(struct model *m, const struct command *c, const struct result *r)
{
    const struct shminfo *limits = &r->shminfo;
    const struct shm_info *use = &r->shm_info;
    put_highest(m, SHM, r->ret);
    if (c->a[1] == IPC_INFO)
        put(" {shmmax=%lu shmmin=%lu shmmni=%lu shmseg=%lu shmall=%lu}", limits->shmmax, limits->shmmin,
            limits->shmmni, limits->shmseg, limits->shmall);
    else /* what is swapped out is the machine's business */
        put(" {used_ids=%d shm_tot=%lu shm_rss+swp=%lu}", use->used_ids, use->shm_tot, use->shm_rss + use->shm_swp);
}

/* Who operated last on a semaphore. Once told apart, a pid keeps its name, though it may come again. */
void put_operator(struct model *m, struct sysv *set, long number, pid_t pid)
{
    bool kept = number >= 0 && number < VALUES_SHOWN;
    int expected = kept ? set->operator[number] : -1;
    const struct past_pid *who = model_pid(m, pid, expected);
    put_pid(m, pid, expected);
    if (kept && who)
        set->operator[number] = (int)(who - m->pids);
}

static void put_values(const struct result *r)
{
    put(" %ld {", r->ret);
    for (int i = 0; i < r->values && i < VALUES_SHOWN; i++)
        put("%s%u", i ? " " : "", r->value[i]);
    if (r->values > VALUES_SHOWN)
        put(" ... %d, %08x", r->values, r->sum);
    put("}");
}

static void put_buffer(struct model *m, enum kind kind, const struct sysv *o, const struct result *r)
{
    static const struct sysv none[KINDS] = {
        [MSG] = { .sender = -1, .receiver = -1 }, [SHM] = { .creator = -1, .last = -1 },
    };
    if (!o)
        o = &none[kind];
    switch (kind) {
    case MSG: put_msqid_ds(m, o, &r->queue); break;
    case SEM: put_semid_ds(o, &r->set); break;
    default: put_shmid_ds(m, o, &r->segment);
    }
}

static void put_stat(struct model *m, enum kind kind, const struct result *r)
{
    const struct sysv *o = model_by_id(m, kind, (int)r->ret);
    put(" %c%ld", kind_letters[kind], o ? o->label : -1);
    put_buffer(m, kind, o, r);
}

void trace_ctl(struct model *m, const struct command *c, const struct result *r)
{
    enum kind kind = kind_of(c->op);
    long cmd = c->a[1];
    struct sysv *o = model_sysv(m, kind, c->a[0]);
    if (cmd == IPC_STAT) {
        put(" %ld", r->ret);
        put_buffer(m, kind, o, r);
    } else if (kind == MSG && (cmd == IPC_INFO || cmd == MSG_INFO)) {
        put_msginfo(m, r);
    } else if (kind == SEM && (cmd == IPC_INFO || cmd == SEM_INFO)) {
        put_seminfo(m, r);
    } else if (kind == SHM && (cmd == IPC_INFO || cmd == SHM_INFO)) {
        put_shminfo(m, c, r);
    } else if ((kind == MSG && (cmd == MSG_STAT || cmd == MSG_STAT_ANY))
               || (kind == SEM && (cmd == SEM_STAT || cmd == SEM_STAT_ANY))
               || (kind == SHM && (cmd == SHM_STAT || cmd == SHM_STAT_ANY))) {
        put_stat(m, kind, r);
    } else if (kind == SEM && cmd == GETALL) {
        put_values(r);
    } else if (kind == SEM && cmd == GETPID && o) {
        put(" ");
        put_operator(m, o, c->a[6], (pid_t)r->ret);
    } else {
        put(" %ld%s", r->ret, r->written ? " AND THE BUFFER IS WRITTEN" : "");
    }
}
