/* The stage: performs one command after the other and waits until all that it set off has come to rest. */
#include "model.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static void on_end(int signo)
{
    (void)signo;
    kill_workers();
    _exit(3);
}

static struct shared *share(void)
{
    int memory = memfd_create("differential", 0);
    if (memory < 0 || ftruncate(memory, sizeof(struct shared)) != 0 || dup2(memory, FD_SHARED) < 0)
        return NULL;
    close(memory);
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, FD_SHARED, 0);
    return shared == MAP_FAILED ? NULL : shared;
}

/* Stays on the nth of the CPUs it may use: on one CPU the turns change hands without waking another one, which
 * is several times as fast. */
static void stay_on(int nth)
{
    cpu_set_t all, one;
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    nth %= CPU_COUNT(&all);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &all) || nth-- > 0)
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
        return;
    }
}

bool stage_start(struct model *m, int cpu)
{
    struct shared *shared = share();
    if (!shared)
        return false;
    shared->stage = getpid();
    model_start(m, shared);
    if (cpu >= 0)
        stay_on(cpu);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGTERM, on_end);
    signal(SIGINT, on_end);
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
}

static void until_next_second(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    /* The kernel's file and IPC times follow the clock by up to a tick. */
    t = (struct timespec){ t.tv_sec + 1, 20000000 };
    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL);
}

/* The commands that the stage itself carries out. */
static bool act(struct model *m, const struct command *c)
{
    switch (c->op) {
    case OP_SPAWN: return spawn(m, c->worker, (int)c->a[0]);
    case OP_KILL: signal_worker(&m->workers[c->worker], SIGKILL); return bury(m, c->worker);
    case OP_SIGNAL: signal_worker(&m->workers[c->worker], (int)c->a[0]); return true;
    default: until_next_second(); return true;
    }
}

/* Lets everybody whom the last command woke come to rest, and collects the calls that have ended by it. */
static bool settle(struct model *m, bool notified, int signalled)
{
    time_t guard = now_s() + GUARD_S;
    for (bool quiet = false; !quiet;) {
        quiet = true;
        for (int i = 0; i < WORKERS && quiet; i++) {
            struct worker *w = &m->workers[i];
            if (!w->alive)
                continue;
            if (w->blocked)
                quiet = m->shared->slots[i].turn == TURN_DONE || asleep(w, w->registered);
            else if ((notified && w->registered) || i == signalled)
                quiet = asleep(w, true);
        }
        if (!quiet && now_s() > guard)
            return false;
        if (!quiet)
            usleep(30);
    }
    return true;
}

/* Times are taken from the coarse clock before a call to the fine one after it: either may be used. */
static void learn(struct model *m, const struct command *c, const struct result *r)
{
    m->now.to = now_s();
    model_learn(m, c, r);
}

static void collect(struct model *m)
{
    for (int i = 0; i < WORKERS; i++) {
        struct worker *w = &m->workers[i];
        struct slot *slot = &m->shared->slots[i];
        if (!w->alive || !w->blocked || slot->turn != TURN_DONE)
            continue;
        w->blocked = false;
        learn(m, &w->blocked_in, &slot->result);
        put("    w%d #%ld %s resumed", i, w->blocked_in.number, op_names[w->blocked_in.op]);
        trace_result(m, &w->blocked_in, &slot->result);
    }
    for (int i = 0; i < WORKERS; i++)
        if (m->workers[i].alive)
            trace_signals(m, i);
}

static bool finish(struct model *m, const struct command *c, const struct result *r)
{
    learn(m, c, r);
    trace_result(m, c, r);
    if (c->op == OP_FORK)
        return adopt(m, c, (pid_t)r->ret);
    if (c->op == OP_EXEC)
        executed(m, &m->workers[c->worker]);
    return true;
}

/* The kernel charges POSIX queues to the user and counts whatever else that user runs on the machine; the run
 * itself stays far below the limit. So when nothing is left, others have it: wait. */
static enum outcome retry_while_spent(struct worker *w, struct slot *slot, const struct command *c, long handle)
{
    enum outcome outcome = FINISHED;
    for (int tries = 0; tries < 100 && outcome == FINISHED; tries++) {
        if (c->op != OP_MQ_OPEN || slot->result.ret >= 0 || slot->result.err != EMFILE)
            break;
        usleep(100000);
        give(slot, c, handle);
        outcome = await(w, slot, false);
    }
    return outcome;
}

static bool hand_over(struct model *m, const struct command *c, long handle)
{
    struct worker *w = &m->workers[c->worker];
    struct slot *slot = &m->shared->slots[c->worker];
    if (c->op == OP_FORK)
        m->shared->slots[c->a[0]].turn = TURN_GIVEN;
    give(slot, c, handle);
    if (c->op == OP_EXIT) {
        put(" = gone\n");
        return bury(m, c->worker);
    }
    enum outcome outcome = await(w, slot, may_block(c));
    if (outcome == FINISHED)
        outcome = retry_while_spent(w, slot, c, handle);
    switch (outcome) {
    case FINISHED:
        return finish(m, c, &slot->result);
    case BLOCKED:
        put(" = blocked\n");
        w->blocked = true;
        w->blocked_in = *c;
        learn_blocked(m, c);
        return true;
    case DIED:
        put(" = THE WORKER DIED\n");
        return false;
    default:
        put(" = HANGS\n");
        return false;
    }
}

bool stage_perform(struct model *m, const struct command *c)
{
    long handle;
    if (senseless(m, c) || !handle_of(m, c, &handle))
        return true;
    struct timespec coarse;
    observe_before(m, c);
    clock_gettime(CLOCK_REALTIME_COARSE, &coarse);
    m->now.from = coarse.tv_sec;
    m->calls++;
    trace_command(m, c);
    bool goes_on;
    if (c->op >= OP_SPAWN) {
        put("\n");
        goes_on = act(m, c);
    } else {
        goes_on = hand_over(m, c, handle);
    }
    if (c->op == OP_KILL || c->op == OP_EXIT)
        observe_sleepers(m);
    bool notified = c->op == OP_MQ_SEND || c->op == OP_MQ_RECEIVE;
    if (goes_on && !settle(m, notified, c->op == OP_SIGNAL ? c->worker : -1)) {
        put("THE WORKERS DO NOT COME TO REST\n");
        goes_on = false;
    }
    collect(m);
    observe(m, c);
    return goes_on;
}

static void remove_all(struct model *m, enum kind kind, long number)
{
    static const enum op ctl[KINDS] = { OP_MSGCTL, OP_SEMCTL, OP_SHMCTL };
    struct command c = { .number = number, .op = ctl[kind] };
    for (int i = 0; i < m->sysv[kind].count; i++)
        if (m->sysv[kind].at[i].live)
            for (int step = 0; step < 2; step++) {
                c.a[0] = m->sysv[kind].at[i].label;
                c.a[1] = step == 0 ? IPC_STAT : IPC_RMID;
                stage_perform(m, &c);
            }
}

void stage_finish(struct model *m, long number)
{
    struct command c = { .number = number, .op = OP_KILL };
    for (c.worker = 0; c.worker < WORKERS; c.worker++)
        stage_perform(m, &c);
    if (!spawn(m, 0, 0))
        return;
    for (int kind = 0; kind < KINDS; kind++)
        remove_all(m, (enum kind)kind, number);
    c = (struct command){ .number = number, .op = OP_MQ_UNLINK };
    for (c.a[0] = 0; c.a[0] < mq_name_count; c.a[0]++)
        stage_perform(m, &c);
    kill_workers();
    bury(m, 0);
}
