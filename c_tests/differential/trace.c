/* The trace: one line a call. Nothing that may differ between two runs appears in it as a number. */
#include "differential.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char buffer[1 << 16];
static size_t used;

void put_flush(void)
{
    for (size_t done = 0; done < used;) {
        ssize_t bytes = write(STDOUT_FILENO, buffer + done, used - done);
        if (bytes < 0 && errno != EINTR)
            _exit(4);
        done += bytes > 0 ? (size_t)bytes : 0;
    }
    used = 0;
}

/* Not stdio: a worker that calls exit would write out what the stage had buffered when it forked. */
void put(const char *format, ...)
{
    va_list list;
    if (used > sizeof buffer - 2048)
        put_flush();
    va_start(list, format);
    int bytes = vsnprintf(buffer + used, sizeof buffer - used, format, list);
    va_end(list);
    if (bytes > 0)
        used += (size_t)bytes;
}

void put_flags(long value, const struct word *words, bool with_mode)
{
    const char *bar = "";
    if (with_mode) {
        put("%04lo", value & 0777);
        value &= ~0777L;
        bar = "|";
    }
    for (; words->name; words++)
        if (value & words->value) {
            put("%s%s", bar, words->name);
            value &= ~words->value;
            bar = "|";
        }
    if (value || !*bar)
        put("%s%#lx", bar, value);
}

static void put_pid(struct model *m, pid_t pid, int expected)
{
    const struct past_pid *known = model_pid(m, pid, expected);
    if (known)
        put("w%d.%d", known->worker, known->generation);
    else if (pid == m->shared->stage)
        put("stage");
    else
        put(pid == 0 ? "0" : "a stranger's pid");
}

static void put_time(const char *name, time_t time, struct window event)
{
    if (time == 0)
        put(" %s=0", name);
    else if (time >= event.from && time <= event.to)
        put(" %s=last", name);
    else if (event.from == 0)
        put(" %s=early", name);
    else
        put(" %s=off by %ld", name, (long)(time < event.from ? time - event.from : time - event.to));
}

static void put_msqid_ds(struct model *m, struct queue *q, const struct msqid_ds *ds)
{
    static struct queue none = { .sender = -1, .receiver = -1 };
    const struct ipc_perm *p = &ds->msg_perm;
    if (!q)
        q = &none;
    put(" {key=%#x uid=%u gid=%u cuid=%u cgid=%u mode=%#o seq=%s", (unsigned)p->__key, p->uid, p->gid, p->cuid,
        p->cgid, p->mode, p->__seq == q->id >> 15 ? "ok" : "wrong");
    put_time("stime", ds->msg_stime, q->sent);
    put_time("rtime", ds->msg_rtime, q->received);
    put_time("ctime", ds->msg_ctime, q->changed);
    put(" cbytes=%lu qnum=%lu qbytes=%lu lspid=", ds->__msg_cbytes, ds->msg_qnum, ds->msg_qbytes);
    put_pid(m, ds->msg_lspid, q->sender);
    put(" lrpid=");
    put_pid(m, ds->msg_lrpid, q->receiver);
    put("}");
}

static int highest_index(const struct model *m)
{
    int highest = 0;
    for (int i = 0; i < m->queue_count; i++)
        if (m->queues[i].live && (m->queues[i].id & 0x7fff) > highest)
            highest = m->queues[i].id & 0x7fff;
    return highest;
}

static void put_msginfo(struct model *m, const struct result *r)
{
    const struct msginfo *i = &r->info;
    put(" highest=%s {msgpool=%d msgmap=%d msgmax=%d msgmnb=%d msgmni=%d msgssz=%d msgtql=%d msgseg=%d}",
        r->ret == highest_index(m) ? "ok" : "wrong", i->msgpool, i->msgmap, i->msgmax, i->msgmnb, i->msgmni,
        i->msgssz, i->msgtql, i->msgseg);
}

static void trace_msgctl(struct model *m, const struct command *c, const struct result *r)
{
    switch (c->a[1]) {
    case IPC_INFO: case MSG_INFO:
        put_msginfo(m, r);
        break;
    case IPC_STAT:
        put(" %ld", r->ret);
        put_msqid_ds(m, model_queue(m, c->a[0]), &r->ds);
        break;
    case MSG_STAT: case MSG_STAT_ANY: {
        struct queue *q = model_queue_by_id(m, (int)r->ret);
        put(" q%ld", q ? q->label : -1);
        put_msqid_ds(m, q, &r->ds);
        break;
    }
    default:
        put(" %ld%s", r->ret, r->written ? " AND THE BUFFER IS WRITTEN" : "");
    }
}

static void put_body(const struct result *r)
{
    switch (r->body) {
    case BODY_INTACT: put(" of #%ld", r->from); break;
    case BODY_TORN: put(" TORN"); break;
    case BODY_DIRTY_TAIL: put(" WRITTEN TOO FAR"); break;
    case BODY_TINY:
        put(" bytes");
        for (long i = 0; i < r->ret; i++)
            put(" %02x", r->head[i]);
        break;
    default: break;
    }
}

static void trace_received(const struct command *c, const struct result *r)
{
    put(" %ld", r->ret);
    if (c->op == OP_MSGRCV)
        put(" {type=%ld", r->type);
    else if (r->prio_written)
        put(" {prio=%u", r->prio);
    else
        put(" {prio unset");
    put_body(r);
    put("}");
}

static void put_attr(const struct result *r)
{
    if (r->written)
        put(" {flags=%#lx maxmsg=%ld msgsize=%ld curmsgs=%ld}", r->attr.mq_flags, r->attr.mq_maxmsg,
            r->attr.mq_msgsize, r->attr.mq_curmsgs);
}

static void put_signals(struct model *m, const struct signal_seen *s)
{
    put(" %s{code=%d pid=", signal_name(s->signo), s->code);
    put_pid(m, s->pid, -1);
    put(" uid=%u value=%d}", s->uid, s->code == SI_MESGQ ? s->value : 0);
}

static void trace_success(struct model *m, const struct command *c, const struct result *r)
{
    struct queue *q;
    switch (c->op) {
    case OP_MSGGET:
        q = model_queue_by_id(m, (int)r->ret);
        put(" q%ld%s", q->label, q->live ? "" : " WHICH WAS REMOVED");
        break;
    case OP_MSGCTL: trace_msgctl(m, c, r); break;
    case OP_MSGRCV: case OP_MQ_RECEIVE: trace_received(c, r); break;
    case OP_MQ_OPEN: put(" d%ld%s", c->number, r->cloexec ? "" : " NOT CLOSE-ON-EXEC"); break;
    case OP_DUP: put(" d%ld", c->number); break;
    case OP_MQ_GETATTR: case OP_MQ_SETATTR: put(" %ld", r->ret); put_attr(r); break;
    case OP_POLL: put(" "); put_flags(r->revents, poll_words, false); break;
    case OP_FORK: case OP_EXEC: put(" done"); break;
    case OP_SIGWAIT:
        put(" %ld", r->ret);
        for (int i = 0; i < r->signals; i++)
            put_signals(m, &r->signal[i]);
        break;
    default: put(" %ld", r->ret);
    }
}

/* The rest of the line: what came of a call. */
void trace_result(struct model *m, const struct command *c, const struct result *r)
{
    put(" =");
    if (r->ret < 0) {
        put(" %ld %s%s", r->ret, errno_name(r->err), r->written ? " AND THE BUFFER IS WRITTEN" : "");
    } else {
        trace_success(m, c, r);
        if (!r->errno_kept && c->op <= OP_MQ_NOTIFY)
            put(" AND errno IS %s", errno_name(r->err));
    }
    put("\n");
}

/* The signals that a worker's handlers have seen since the last look. */
void trace_signals(struct model *m, int worker)
{
    struct worker *w = &m->workers[worker];
    struct slot *slot = &m->shared->slots[worker];
    for (; w->handled_shown != slot->handled; w->handled_shown++) {
        put("    w%d handles", worker);
        put_signals(m, &slot->handled_signal[w->handled_shown % HANDLED_KEPT]);
        put("\n");
    }
}
