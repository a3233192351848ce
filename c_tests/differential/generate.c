/* Draws the next command: which worker does what. The arguments are drawn in generate_*.c. */
#include "generate.h"

#include <string.h>

/* The times in msqid_ds and its like are in seconds: to see that a call leaves them alone, it has to come in a later
 * one. */
enum { SECOND_EVERY = 40000 };

static const char *const about_names[ABOUTS] = { "all", "queues", "semaphores", "memory" };

static const char *const avoid_names[AVOIDS] = {
    [AVOID_GIVE_AWAY] = "give-away",           /* IPC_SET to another uid or gid by others than root */
    [AVOID_GIVE_AWAY_ROOT] = "give-away-root", /* the same by root */
    [AVOID_STAT_ANY] = "stat-any",             /* MSG_STAT_ANY, SEM_STAT_ANY, SHM_STAT_ANY */
    [AVOID_INFO] = "info",                     /* MSG_INFO, SEM_INFO, SHM_INFO */
    [AVOID_DUP] = "dup",                       /* dup, dup2 and F_DUPFD of an mqd */
    [AVOID_CLOSE] = "close",                   /* close(2) and dup2(2) over an mqd */
    [AVOID_CLOSE_ALL] = "close-all",           /* close_range over everything */
    [AVOID_RAW_FORK] = "raw-fork",             /* _Fork and clone */
    [AVOID_RAW_FORK_ATTACHED] = "raw-fork-attached", /* the same by a process that has segments attached */
    [AVOID_EXEC] = "exec",
    [AVOID_EXEC_REGISTERED] = "exec-registered", /* exec by a process that has called mq_notify */
    [AVOID_EXEC_CHANGED] = "exec-changed",       /* exec by a process that has changed its uid */
    [AVOID_IDENTITY] = "identity",             /* seteuid, setegid, setgroups in the middle of a life */
    [AVOID_STALE_ID] = "stale-id",             /* identifiers of removed objects, or of none */
    [AVOID_ODD_CMD] = "odd-cmd",               /* control commands that there are none of */
    [AVOID_POLL] = "poll",
    [AVOID_FAULT] = "fault",                   /* pointers that are none */
    [AVOID_ODD_OFLAGS] = "odd-oflags",         /* mq_open flags that mean nothing to a queue */
    [AVOID_LONG_MQ] = "long-mq",               /* mq_maxmsg above the kernel's default limit of 10 */
    [AVOID_NOTIFY] = "notify",
    [AVOID_WAIT] = "wait",                     /* calls that sleep */
    [AVOID_UNDO] = "undo",                     /* SEM_UNDO */
    [AVOID_IDLE_UNDO] = "idle-undo",           /* to tell whether sem_otime moves when there is nothing to undo */
    [AVOID_ZEROS] = "zeros",                   /* to sleep for several semaphores to be zero */
    [AVOID_LINGER] = "linger",                 /* to leave a segment that is gone before somebody has looked */
    [AVOID_REMAP] = "remap",                   /* SHM_REMAP */
    [AVOID_SHM_EXEC] = "shm-exec",             /* SHM_EXEC */
    [AVOID_SHM_LOCK] = "shm-lock",             /* SHM_LOCK, SHM_UNLOCK */
    [AVOID_HUGETLB] = "hugetlb",               /* SHM_HUGETLB, on a machine that has huge pages */
    [AVOID_VAST] = "vast",                     /* segments that no memory holds, where the kernel promises anything */
};

/* splitmix64 */
uint64_t draw(struct random *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

long draw_below(struct random *r, long bound)
{
    return (long)(draw(r) % (uint64_t)bound);
}

bool draw_percent(struct random *r, int percent)
{
    return draw_below(r, 100) < percent;
}

bool generator_avoid(struct generator *g, const char *name)
{
    for (int i = 0; i < AVOIDS; i++)
        if (strcmp(avoid_names[i], name) == 0) {
            g->avoided |= 1u << i;
            return true;
        }
    return false;
}

bool avoided(const struct generator *g, enum avoid what)
{
    return g->avoided >> what & 1;
}

bool generator_only(struct generator *g, const char *name)
{
    for (int i = 0; i < ABOUTS; i++)
        if (strcmp(about_names[i], name) == 0) {
            g->only = (enum about)i;
            return true;
        }
    return false;
}

static bool op_avoided(const struct generator *g, enum op op)
{
    switch (op) {
    case OP_DUP: return avoided(g, AVOID_DUP);
    case OP_CLOSE: case OP_DUP2_OVER: return avoided(g, AVOID_CLOSE);
    case OP_CLOSE_ALL: return avoided(g, AVOID_CLOSE_ALL);
    case OP_EXEC: return avoided(g, AVOID_EXEC);
    case OP_SETEUID: case OP_SETEGID: case OP_SETGROUPS: return avoided(g, AVOID_IDENTITY);
    case OP_POLL: return avoided(g, AVOID_POLL);
    case OP_MQ_NOTIFY: return avoided(g, AVOID_NOTIFY);
    default: return false;
    }
}

static enum op draw_op(struct generator *g)
{
    int total = 0;
    for (int i = 0; i < OPS; i++)
        total += g->phase->weight[i];
    long at = draw_below(&g->random, total);
    for (int i = 0; i < OPS; i++) {
        at -= g->phase->weight[i];
        if (at < 0)
            return (enum op)i;
    }
    return OP_MSGSND;
}

int draw_worker(struct generator *g, const struct model *m, bool alive)
{
    int from = (int)draw_below(&g->random, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        int worker = (from + i) % WORKERS;
        if (alive ? model_runs(m, worker) : !m->workers[worker].alive)
            return worker;
    }
    return -1;
}

/* A worker that has slept long is woken by a signal, so that the others do not run out of partners. */
static bool draw_release(struct generator *g, struct model *m, struct command *c)
{
    for (int i = 0; i < WORKERS; i++) {
        const struct worker *w = &m->workers[i];
        if (!w->alive || !w->blocked || g->number - w->blocked_in.number < 40 || !draw_percent(&g->random, 30))
            continue;
        c->worker = i;
        c->op = draw_percent(&g->random, 10) ? OP_KILL : OP_SIGNAL;
        c->a[0] = draw_percent(&g->random, 70) ? SIGUSR2 : SIGHUP;
        return true;
    }
    return false;
}

/* The beginning and the end of processes. False where there is no room for it. */
static bool draw_process(struct generator *g, struct model *m, struct command *c)
{
    struct random *r = &g->random;
    int dead = draw_worker(g, m, false);
    switch (c->op) {
    case OP_SPAWN:
        c->worker = dead;
        c->a[0] = draw_below(r, identity_count);
        return dead >= 0;
    case OP_FORK:
        c->a[0] = dead;
        c->a[1] = draw_percent(r, 60) ? FORK_LIBC : draw_percent(r, 50) ? FORK_BARE : FORK_CLONE;
        if (avoided(g, m->workers[c->worker].piece_count ? AVOID_RAW_FORK_ATTACHED : AVOID_RAW_FORK))
            c->a[1] = FORK_LIBC;
        return dead >= 0;
    case OP_KILL:
        c->worker = (int)draw_below(r, WORKERS);
        return model_count(m, false) > WORKERS / 2 && m->workers[c->worker].alive;
    case OP_SIGNAL:
        c->worker = (int)draw_below(r, WORKERS);
        c->a[0] = draw_percent(r, 50) ? SIGUSR2 : SIGHUP;
        return m->workers[c->worker].alive;
    case OP_EXIT:
        c->a[0] = draw_below(r, 2);
        return model_count(m, false) > WORKERS / 2;
    default:
        return true;
    }
}

static void next_phase(struct generator *g)
{
    if (g->phase_left-- > 0)
        return;
    do
        g->phase = &phases[draw_below(&g->random, phase_count)];
    while (g->only != ABOUT_ALL && g->phase->about != g->only);
    g->phase_left = 200 + draw_below(&g->random, 1200);
}

bool may_wait(const struct generator *g, struct model *m, struct random *r)
{
    bool wanted = draw_percent(r, g->phase->wait_percent);
    return wanted && !avoided(g, AVOID_WAIT) && model_count(m, true) < MAX_BLOCKED;
}

void generate_call(struct generator *g, struct model *m, struct command *c)
{
    if (c->op <= OP_MSGCTL)
        generate_msg(g, m, c);
    else if (c->op <= OP_SEMCTL)
        generate_sem(g, m, c);
    else if (c->op <= OP_SHMCTL || c->op == OP_PEEK || c->op == OP_POKE)
        generate_shm(g, m, c);
    else
        generate_mq(g, m, c);
}

/* The first commands start the workers, one of each identity. */
void generate(struct generator *g, struct model *m, struct command *c)
{
    memset(c, 0, sizeof *c);
    c->number = ++g->number;
    if (c->number <= WORKERS) {
        c->op = OP_SPAWN;
        c->worker = (int)c->number - 1;
        c->a[0] = c->worker % identity_count;
        return;
    }
    if (c->number % SECOND_EVERY == 0) {
        c->op = OP_SECOND;
        return;
    }
    if (draw_release(g, m, c))
        return;
    if (model_count(m, true) > 0 && draw_percent(&g->random, 20) && generate_partner(g, m, c))
        return;
    for (;;) {
        next_phase(g);
        c->op = draw_op(g);
        c->worker = draw_worker(g, m, true);
        if (c->worker < 0) {
            c->op = OP_SPAWN;
            c->worker = draw_worker(g, m, false);
        }
        if (c->op == OP_EXEC && m->workers[c->worker].registered && avoided(g, AVOID_EXEC_REGISTERED))
            continue;
        if (c->op == OP_EXEC && m->workers[c->worker].changed && avoided(g, AVOID_EXEC_CHANGED))
            continue;
        if (!op_avoided(g, c->op) && draw_process(g, m, c))
            break;
    }
    generate_call(g, m, c);
}
