/* What the stage itself sees of the objects, being root, between the calls of the workers: so that a difference
 * shows soon after the call that made it. Not after every call, for the state that a call leaves has to hold for
 * the next one's eyes too. */
#include "model.h"

#include <errno.h>

static void observe_set(struct model *m, struct sysv *set)
{
    struct semid_ds ds;
    int shown = set->nsems < VALUES_SHOWN / 2 ? (int)set->nsems : VALUES_SHOWN / 2;
    put("    s%ld:", set->label);
    for (int i = 0; i < shown; i++) {
        put(" %d/", semctl(set->id, i, GETVAL));
        put_operator(m, set, i, semctl(set->id, i, GETPID));
        put("/n%dz%d", semctl(set->id, i, GETNCNT), semctl(set->id, i, GETZCNT));
    }
    if (semctl(set->id, 0, IPC_STAT, (union semun){ .buf = &ds }) != 0) {
        put(" %s\n", errno_name(errno));
        return;
    }
    model_looked(m, SEM, set, true);
    put_semid_ds(set, &ds);
    put("\n");
}

static void observe_segment(struct model *m, struct sysv *s)
{
    struct shmid_ds ds;
    put("    m%ld:", s->label);
    if (shmctl(s->id, IPC_STAT, &ds) != 0) {
        put(" %s\n", errno_name(errno));
        s->late = false;
        return;
    }
    model_looked(m, SHM, s, true);
    put_shmid_ds(m, s, &ds);
    put("\n");
}

/* Of those that the end of a process has changed, or of all. */
static void observe_all(struct model *m, enum kind kind, bool late)
{
    for (int i = 0; i < m->sysv[kind].count; i++) {
        struct sysv *o = &m->sysv[kind].at[i];
        if (!o->live || (late && !o->late))
            continue;
        if (kind == SEM)
            observe_set(m, o);
        else
            observe_segment(m, o);
    }
}

/* A removed segment goes with the last one who had it attached. */
static void observe_gone(struct model *m)
{
    if (!m->removed_lingers)
        return;
    for (int i = 0; i < m->sysv[SHM].count; i++)
        if (!m->sysv[SHM].at[i].live && m->sysv[SHM].at[i].late)
            observe_segment(m, &m->sysv[SHM].at[i]);
}

static bool ends_or_forks(enum op op)
{
    return op == OP_KILL || op == OP_EXIT || op == OP_EXEC || op == OP_FORK;
}

/* Which of two dead processes was the first to die nobody can tell afterwards: so one is looked after before the
 * next one goes. */
void observe_before(struct model *m, const struct command *c)
{
    if (!ends_or_forks(c->op))
        return;
    observe_all(m, SHM, true);
    observe_all(m, SEM, true);
}

void observe(struct model *m, const struct command *c)
{
    struct sysv *set;
    observe_gone(m);
    switch (c->op) {
    case OP_KILL: case OP_EXIT: case OP_EXEC: case OP_FORK:
        if (c->number % 8 != 0)
            observe_all(m, SHM, true);
        if (c->number % 2 != 0)
            observe_all(m, SEM, true);
        break;
    case OP_SEMOP: case OP_SEMCTL:
        set = model_sysv(m, SEM, c->a[0]);
        if (c->number % 4 == 0 && set && set->live)
            observe_set(m, set);
        break;
    case OP_SHMAT: case OP_SHMDT:
        if (c->number % 8 == 0)
            observe_all(m, SHM, false);
        break;
    default: break;
    }
}

/* The kernel applies a dead process's adjustments at once; usipc when somebody looks, which a sleeper does too, but
 * in its own time. */
void observe_sleepers(struct model *m)
{
    static unsigned short values[MAX_NSEMS];
    for (int i = 0; i < m->sysv[SEM].count; i++) {
        const struct sysv *set = &m->sysv[SEM].at[i];
        if (set->live && model_blocked_on(m, OP_SEMOP, set->label) > 0)
            semctl(set->id, 0, GETALL, (union semun){ .array = values });
    }
}
