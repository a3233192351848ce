/* The trace: one line a call. Nothing that may differ between two runs appears in it as a number. */
#include "model.h"

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

void put_pid(struct model *m, pid_t pid, int expected)
{
    const struct past_pid *known = model_pid(m, pid, expected);
    if (known)
        put("w%d.%d", known->worker, known->generation);
    else if (pid == m->shared->stage)
        put("stage");
    else
        put(pid == 0 ? "0" : "a stranger's pid");
}

void put_time(const char *name, time_t time, struct window event)
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

static void put_address(const char *address)
{
    if (address >= REGION && address < REGION + PLACES * PLACE_BYTES)
        put(" region+%#lx", (long)(address - REGION));
    else
        put((long)address % PAGE ? " UNALIGNED" : " somewhere");
}

static void trace_success(struct model *m, const struct command *c, const struct result *r)
{
    const struct sysv *o;
    switch (c->op) {
    case OP_MSGGET: case OP_SEMGET: case OP_SHMGET:
        o = model_by_id(m, kind_of(c->op), (int)r->ret);
        put(" %c%ld%s", kind_letters[kind_of(c->op)], o->label, o->live ? "" : " WHICH WAS REMOVED");
        break;
    case OP_MSGCTL: case OP_SEMCTL: case OP_SHMCTL: trace_ctl(m, c, r); break;
    case OP_SHMAT: put_address((char *)r->ret); put(" as a%ld", c->number); break;
    case OP_PEEK: case OP_POKE:
        if (r->fault)
            put(" %s", signal_name(r->fault));
        else
            put(c->op == OP_PEEK ? " %08x" : " done", r->sum);
        break;
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
