/* Draws a call that may end another worker's sleep. */
#include "generate.h"

#include <fcntl.h>

static struct worker *draw_sleeper(struct generator *g, struct model *m)
{
    int from = (int)draw_below(&g->random, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        struct worker *w = &m->workers[(from + i) % WORKERS];
        if (w->alive && w->blocked)
            return w;
    }
    return NULL;
}

static bool msg_partner(struct generator *g, struct model *m, const struct worker *sleeper, struct command *c)
{
    struct random *r = &g->random;
    const struct command *asleep_in = &sleeper->blocked_in;
    c->op = asleep_in->op == OP_MSGSND ? OP_MSGRCV : OP_MSGSND;
    c->worker = draw_worker(g, m, true);
    if (c->worker < 0)
        return false;
    bool controls = draw_percent(r, 12);
    if (controls)
        c->op = OP_MSGCTL;
    generate_call(g, m, c);
    c->a[0] = asleep_in->a[0];
    if (controls) {
        c->a[1] = draw_percent(r, 30) ? IPC_RMID : IPC_SET;
        draw_owner(g, m, c);
    }
    if (c->op == OP_MSGSND && asleep_in->a[2] > 0 && asleep_in->a[2] < 10 && draw_percent(r, 60))
        c->a[2] = asleep_in->a[2];
    return true;
}

/* Any worker's descriptor of the same queue, open for the other direction, will do. */
static bool mq_partner(struct generator *g, struct model *m, struct worker *sleeper, struct command *c)
{
    const struct command *asleep_in = &sleeper->blocked_in;
    const struct mqd *slept_on = model_mqd(sleeper, asleep_in->a[0]);
    bool sends = asleep_in->op == OP_MQ_RECEIVE;
    int from = (int)draw_below(&g->random, WORKERS);
    for (int i = 0; slept_on && i < WORKERS; i++) {
        int worker = (from + i) % WORKERS;
        struct worker *w = &m->workers[worker];
        for (int j = 0; model_runs(m, worker) && j < w->mqd_count; j++) {
            const struct mqd *d = &w->mqds[j];
            int access = m->descriptions[d->description].access;
            if (!d->open || model_object(m, d) != model_object(m, slept_on)
                || (access != O_RDWR && access != (sends ? O_WRONLY : O_RDONLY)))
                continue;
            c->worker = worker;
            c->op = sends ? OP_MQ_SEND : OP_MQ_RECEIVE;
            generate_call(g, m, c);
            c->a[0] = d->label;
            c->a[4] = m->descriptions[d->description].nonblock ? TIMEOUT_PLAIN : TIMEOUT_PAST;
            return true;
        }
    }
    return false;
}

static bool sem_partner(struct generator *g, struct model *m, const struct worker *sleeper, struct command *c)
{
    const struct sysv *set = model_sysv(m, SEM, sleeper->blocked_in.a[0]);
    for (int tries = 0; tries < 4; tries++) {
        c->worker = draw_worker(g, m, true);
        if (c->worker < 0 || !set)
            return false;
        if (insists(&g->random, set->denied, c->worker))
            break;
    }
    answer_semop(g, m, &sleeper->blocked_in, c);
    return true;
}

bool generate_partner(struct generator *g, struct model *m, struct command *c)
{
    struct worker *sleeper = draw_sleeper(g, m);
    if (!sleeper)
        return false;
    if (sleeper->blocked_in.op == OP_MSGSND || sleeper->blocked_in.op == OP_MSGRCV)
        return msg_partner(g, m, sleeper, c);
    if (sleeper->blocked_in.op == OP_SEMOP)
        return sem_partner(g, m, sleeper, c);
    return mq_partner(g, m, sleeper, c);
}
