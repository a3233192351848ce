/* What the stage knows of the workers and the POSIX queues, learnt from results that must be the same on both sides. */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

void *grown(void *array, int count, int *room, size_t bytes)
{
    if (count < *room)
        return array;
    *room = *room ? *room * 2 : 256;
    array = realloc(array, (size_t)*room * bytes);
    if (!array)
        abort();
    return array;
}

void model_start(struct model *m, struct shared *shared)
{
    memset(m, 0, sizeof *m);
    m->shared = shared;
    for (int i = 0; i < WORKERS; i++)
        m->workers[i].pidfd = m->workers[i].statfd = -1;
}

struct mqd *model_mqd(struct worker *w, long label)
{
    for (int i = 0; i < w->mqd_count; i++)
        if (w->mqds[i].label == label)
            return &w->mqds[i];
    return NULL;
}

struct object *model_object(struct model *m, const struct mqd *d)
{
    return &m->objects[m->descriptions[d->description].object];
}

int model_named_object(const struct model *m, int name)
{
    for (int i = m->object_count - 1; i >= 0; i--)
        if (m->objects[i].linked && m->objects[i].name == name)
            return i;
    return -1;
}

static bool object_held(const struct model *m, int object)
{
    for (int i = 0; i < WORKERS; i++)
        for (int j = 0; j < m->workers[i].mqd_count; j++) {
            const struct mqd *d = &m->workers[i].mqds[j];
            if (d->open && m->descriptions[d->description].object == object)
                return true;
        }
    return false;
}

/* What the living POSIX queues count for in the kernel's RLIMIT_MSGQUEUE. */
long model_mq_bytes(struct model *m)
{
    long bytes = 0;
    for (int i = 0; i < m->object_count; i++) {
        struct object *o = &m->objects[i];
        if (!o->gone && (o->linked || object_held(m, i)))
            bytes += o->maxmsg * (o->msgsize + 64);
        else
            o->gone = true; /* without a name or a descriptor there is no way back */
    }
    return bytes;
}

void model_new_pid(struct model *m, int worker, pid_t pid)
{
    m->pids = grown(m->pids, m->pid_count, &m->pid_room, sizeof *m->pids);
    m->workers[worker].past_pid = m->pid_count;
    m->pids[m->pid_count++] = (struct past_pid){ pid, worker, m->workers[worker].generation };
}

/* Whose a pid is: the expected one's, if that had this pid, else the latest's. */
const struct past_pid *model_pid(const struct model *m, pid_t pid, int expected)
{
    if (expected >= 0 && m->pids[expected].pid == pid)
        return &m->pids[expected];
    for (int i = m->pid_count - 1; i >= 0; i--)
        if (m->pids[i].pid == pid)
            return &m->pids[i];
    return NULL;
}

bool model_runs(const struct model *m, int worker)
{
    return m->workers[worker].alive && !m->workers[worker].blocked;
}

int model_count(const struct model *m, bool blocked)
{
    int count = 0;
    for (int i = 0; i < WORKERS; i++)
        count += m->workers[i].alive && (!blocked || m->workers[i].blocked);
    return count;
}

int model_blocked_on(const struct model *m, enum op op, long label)
{
    int count = 0;
    for (int i = 0; i < WORKERS; i++) {
        const struct worker *w = &m->workers[i];
        count += w->alive && w->blocked && w->blocked_in.op == op && w->blocked_in.a[0] == label;
    }
    return count;
}

static void drop_mqd(struct worker *w, int index)
{
    w->mqds[index] = w->mqds[--w->mqd_count];
}

/* Once a worker may have opened a descriptor, the number of a closed one may be in use again, on one side
 * or on both: it no longer names nothing. */
static void forget_closed(struct worker *w)
{
    for (int i = w->mqd_count - 1; i >= 0; i--)
        if (!w->mqds[i].open)
            drop_mqd(w, i);
}

void model_forget_mqds(struct worker *w)
{
    w->mqd_count = 0;
}

static void learn_fd(struct worker *w, long label, int fd, int description, bool cloexec)
{
    for (int i = w->mqd_count - 1; i >= 0; i--)
        if (w->mqds[i].open && w->mqds[i].fd == fd)
            drop_mqd(w, i);
    if (w->mqd_count == MAX_MQDS)
        abort();
    w->mqds[w->mqd_count++] = (struct mqd){ label, fd, description, true, cloexec };
}

static void learn_mq_open(struct model *m, struct worker *w, const struct command *c, const struct result *r)
{
    int object = model_named_object(m, (int)c->a[0]);
    if (object < 0) {
        m->objects = grown(m->objects, m->object_count, &m->object_room, sizeof *m->objects);
        object = m->object_count++;
        /* A failed open may have made the queue all the same: then these attributes need not make sense. */
        bool given = c->a[3] == POINTER_GOOD && c->a[4] > 0 && c->a[5] > 0;
        m->objects[object] = (struct object){
            .name = (int)c->a[0],
            .linked = true,
            .maxmsg = given ? c->a[4] : 10,
            .msgsize = given ? c->a[5] : 8192,
        };
    }
    m->descriptions = grown(m->descriptions, m->description_count, &m->description_room, sizeof *m->descriptions);
    int description = m->description_count++;
    m->descriptions[description] = (struct description){ object, c->a[1] & O_ACCMODE, c->a[1] & O_NONBLOCK };
    learn_fd(w, c->number, (int)r->ret, description, true);
}

/* A worker with a new identity has been refused nothing yet. */
void model_forget_refusals(struct model *m, int worker)
{
    for (int kind = 0; kind < KINDS; kind++)
        for (int i = 0; i < m->sysv[kind].count; i++)
            m->sysv[kind].at[i].denied &= ~(1u << worker);
    for (int i = 0; i < m->object_count; i++)
        m->objects[i].denied &= ~(1u << worker);
}

static void learn_identity(struct worker *w, const struct result *r)
{
    w->ruid = r->ruid;
    w->euid = r->euid;
    w->rgid = r->rgid;
    w->egid = r->egid;
}

static void learn_mqd_change(struct model *m, struct worker *w, const struct command *c, const struct result *r)
{
    struct mqd *d = model_mqd(w, c->a[0]);
    if (!d)
        return;
    if (c->op == OP_MQ_SETATTR) {
        if (r->ret == 0 && c->a[1] == POINTER_GOOD)
            m->descriptions[d->description].nonblock = c->a[2] & O_NONBLOCK;
    } else if (c->op == OP_DUP) {
        bool cloexec = c->a[1] == DUP_CLOEXEC;
        learn_fd(w, c->number, (int)r->ret, d->description, cloexec);
    } else {
        d->open = false;
    }
}

/* Takes in the result of a call that has ended. */
void model_learn(struct model *m, const struct command *c, const struct result *r)
{
    struct worker *w = &m->workers[c->worker];
    int named;
    if (c->op == OP_MQ_OPEN || c->op == OP_DUP || c->op == OP_POLL || c->op == OP_MQ_NOTIFY)
        forget_closed(w);
    switch (c->op) {
    case OP_FORK:
        learn_fork(m, c->worker);
        break;
    case OP_EXEC:
        learn_attachments_end(m, c->worker);
        break;
    case OP_MQ_OPEN:
        named = model_named_object(m, (int)c->a[0]);
        if (r->ret >= 0)
            learn_mq_open(m, w, c, r);
        else if (r->err == EACCES && named >= 0)
            m->objects[named].denied |= 1u << c->worker;
        break;
    case OP_MQ_UNLINK:
        named = model_named_object(m, (int)c->a[0]);
        if (r->ret == 0 && named >= 0)
            m->objects[named].linked = false;
        break;
    case OP_MQ_CLOSE: case OP_CLOSE: case OP_DUP2_OVER: case OP_DUP: case OP_MQ_SETATTR:
        if (r->ret >= 0)
            learn_mqd_change(m, w, c, r);
        break;
    case OP_CLOSE_ALL:
        for (int i = 0; i < w->mqd_count; i++)
            w->mqds[i].open = false;
        break;
    case OP_MQ_NOTIFY:
        w->registered |= r->ret == 0 && c->a[1] != NOTIFY_NULL;
        break;
    case OP_SETEUID: case OP_SETEGID:
        w->changed |= r->ret == 0;
        learn_identity(w, r);
        model_forget_refusals(m, c->worker);
        break;
    case OP_SETGROUPS:
        model_forget_refusals(m, c->worker);
        break;
    default:
        if (c->op <= OP_SHMCTL)
            learn_sysv(m, c, r);
    }
}
