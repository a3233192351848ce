/* What the workers have attached. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

struct piece *model_piece(struct worker *w, long label)
{
    for (int i = 0; i < w->piece_count; i++)
        if (w->pieces[i].label == label)
            return &w->pieces[i];
    return NULL;
}

bool model_attached(const struct model *m, long segment)
{
    for (int i = 0; i < WORKERS; i++)
        for (int j = 0; j < m->workers[i].piece_count; j++)
            if (m->workers[i].pieces[j].segment == segment)
                return true;
    return false;
}

static void insert(struct worker *w, struct piece piece)
{
    int at = w->piece_count;
    if (at == MAX_PIECES)
        abort();
    while (at > 0 && w->pieces[at - 1].from > piece.from)
        at--;
    memmove(&w->pieces[at + 1], &w->pieces[at], (size_t)(w->piece_count++ - at) * sizeof piece);
    w->pieces[at] = piece;
}

static void take_out(struct worker *w, int at)
{
    memmove(&w->pieces[at], &w->pieces[at + 1], (size_t)(--w->piece_count - at) * sizeof w->pieces[0]);
}

/* Of the worker's doing. */
static void attached(struct model *m, long segment, int worker)
{
    struct sysv *s = model_sysv(m, SHM, segment);
    s->attached = m->now;
    s->last = m->workers[worker].past_pid;
    /* A removed segment that replaces itself (SHM_REMAP) stays: Linux counts the new attachment first. */
    s->live = true;
}

static void detached(struct model *m, long segment, int worker)
{
    struct sysv *s = model_sysv(m, SHM, segment);
    s->detached = m->now;
    s->last = m->workers[worker].past_pid;
    s->live = !s->removed || model_attached(m, segment);
    s->late |= !s->live;
}

/* Linux: mm/vma.c. What the new mapping covers is gone; an attachment that is cut in two is attached once more. */
static void cut(struct model *m, int worker, char *from, char *to)
{
    struct worker *w = &m->workers[worker];
    for (int i = w->piece_count - 1; i >= 0; i--) {
        struct piece old = w->pieces[i];
        if (old.to <= from || old.from >= to)
            continue;
        take_out(w, i);
        for (int side = 0; side < 2; side++) {
            struct piece rest = old;
            if (side == 0)
                rest.to = from;
            else
                rest.from = to;
            if (rest.from >= rest.to)
                continue;
            insert(w, rest);
            attached(m, old.segment, worker);
        }
        detached(m, old.segment, worker);
    }
}

static void learn_shmat(struct model *m, const struct command *c, const struct result *r)
{
    struct sysv *s = model_sysv(m, SHM, c->a[0]);
    long bytes = (s->bytes + PAGE - 1) / PAGE * PAGE;
    char *base = (char *)r->ret;
    cut(m, c->worker, base, base + bytes);
    insert(&m->workers[c->worker], (struct piece){ c->number, s->label, base, base, base + bytes, bytes });
    attached(m, s->label, c->worker);
}

/* Linux: ipc/shm.c, ksys_shmdt. The first piece that lies as if it had been attached at the address, and then all
 * others of the same attachment. */
static void learn_shmdt(struct model *m, const struct command *c, const char *address)
{
    struct worker *w = &m->workers[c->worker];
    long label = 0;
    for (int i = 0; i < w->piece_count;) {
        struct piece piece = w->pieces[i];
        bool wanted = piece.base == address && piece.to > address && (!label || piece.label == label);
        if (!wanted) {
            i++;
            continue;
        }
        label = piece.label;
        take_out(w, i);
        detached(m, piece.segment, c->worker);
    }
}

void learn_shm(struct model *m, const struct command *c, const struct result *r)
{
    if (r->ret == -1)
        return;
    if (c->op == OP_SHMAT) {
        learn_shmat(m, c, r);
    } else if (c->op == OP_SHMDT) {
        const struct piece *piece = model_piece(&m->workers[c->worker], c->a[0]);
        if (piece)
            learn_shmdt(m, c, piece->base + c->a[1]);
    } else if (c->op == OP_SHMCTL && (c->a[1] & ~IPC_64) == IPC_RMID) {
        struct sysv *s = model_sysv(m, SHM, c->a[0]);
        s->removed = true;
        s->live = model_attached(m, s->label);
    }
}

void learn_attachments_end(struct model *m, int worker)
{
    struct worker *w = &m->workers[worker];
    while (w->piece_count > 0) {
        long segment = w->pieces[--w->piece_count].segment;
        detached(m, segment, worker);
        model_sysv(m, SHM, segment)->late = true;
    }
}

/* The parent is the one who attached for its child. */
void learn_fork(struct model *m, int parent)
{
    const struct worker *w = &m->workers[parent];
    for (int i = 0; i < w->piece_count; i++) {
        attached(m, w->pieces[i].segment, parent);
        model_sysv(m, SHM, w->pieces[i].segment)->late = true;
    }
}
