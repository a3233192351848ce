/* Draws the arguments of the calls on shared memory segments, and of access to the memory. */
#include "generate.h"

static void draw_shmget(struct generator *g, struct model *m, struct command *c)
{
    static const long keys[] = { IPC_PRIVATE, 0x61, 0x62, 0x63, 0x63, -1 };
    static const long usual[] = { 1, 100, 4095, 4096, 4097, 8192, 12288, 16384, 3 * PLACE_BYTES };
    static const long odd[] = { 0, 0, 8 * PLACE_BYTES, -1, LONG_MIN }, vast[] = { LONG_MAX, 1L << 62, 1L << 50 };
    struct random *r = &g->random;
    bool full = model_live(m, SHM) >= MAX_SEGMENTS;
    c->a[0] = DRAW_FROM(r, keys);
    if (full && c->a[0] == IPC_PRIVATE)
        c->a[0] = 0x61;
    c->a[2] = draw_get_flags(g, !full);
    c->a[1] = draw_percent(r, 90) ? DRAW_FROM(r, usual) : DRAW_FROM(r, odd);
    if (!(c->a[2] & IPC_CREAT) && draw_percent(r, 60))
        c->a[1] = 0;
    if (draw_percent(r, 5))
        c->a[2] |= SHM_NORESERVE;
    if (!avoided(g, AVOID_VAST) && draw_percent(r, 2)) {
        c->a[1] = DRAW_FROM(r, vast);
        c->a[2] &= ~(long)SHM_NORESERVE; /* with it the kernel would promise anything */
    }
    if (!avoided(g, AVOID_HUGETLB) && draw_percent(r, 1))
        c->a[2] = (c->a[2] | SHM_HUGETLB) & ~(long)SHM_NORESERVE; /* as above */
    else
        c->a[2] &= ~(long)SHM_HUGETLB;
}

static long draw_at_flags(struct generator *g)
{
    static const long odd[] = { 1, 0x40000000, INT_MIN };
    struct random *r = &g->random;
    long flags = draw_percent(r, 25) ? SHM_RDONLY : 0;
    if (draw_percent(r, 25))
        flags |= SHM_RND;
    if (!avoided(g, AVOID_REMAP) && draw_percent(r, 12))
        flags |= SHM_REMAP;
    if (!avoided(g, AVOID_SHM_EXEC) && draw_percent(r, 3))
        flags |= SHM_EXEC;
    if (draw_percent(r, 2))
        flags |= DRAW_FROM(r, odd);
    return flags;
}

static void draw_shmat(struct generator *g, struct model *m, struct command *c)
{
    static const long offsets[] = { 0, 0, 0, 0, PAGE, PAGE, 2 * PAGE, 3 * PAGE, 1, 100, PAGE - 1 };
    static const long bad[] = { PLACE_KERNEL, PLACE_NONCANONICAL };
    struct random *r = &g->random;
    c->a[0] = draw_sysv(g, m, SHM, c->worker);
    c->a[1] = draw_percent(r, 30) ? PLACE_ANY : draw_below(r, PLACES);
    c->a[2] = DRAW_FROM(r, offsets);
    c->a[3] = draw_at_flags(g);
    if (!avoided(g, AVOID_FAULT) && draw_percent(r, 2))
        c->a[1] = DRAW_FROM(r, bad);
    if (c->a[1] < 0)
        c->a[2] = 0;
}

/* By age: which address comes first is not the same on both sides. */
static long draw_attachment(struct generator *g, const struct worker *w)
{
    long label = -1;
    for (long left = w->piece_count ? draw_below(&g->random, w->piece_count) : -1; left >= 0; left--) {
        long next = LONG_MAX;
        for (int i = 0; i < w->piece_count; i++)
            if (w->pieces[i].label > label && w->pieces[i].label < next)
                next = w->pieces[i].label;
        if (next == LONG_MAX) /* one attachment may be in several pieces */
            break;
        label = next;
    }
    return label;
}

static void draw_shmdt(struct generator *g, const struct worker *w, struct command *c)
{
    static const long offsets[] = { 1, PAGE, -PAGE, 2 * PAGE, -1 };
    struct random *r = &g->random;
    c->a[0] = draw_attachment(g, w);
    if (draw_percent(r, 3))
        c->a[0] = -1 - draw_below(r, -NO_ADDRESS_FIRST);
    if (c->a[0] >= 0 && draw_percent(r, 8))
        c->a[1] = DRAW_FROM(r, offsets);
}

/* Where somebody else looks too: at the beginning, and at the end. */
static void draw_bytes(struct generator *g, const struct worker *w, struct command *c)
{
    static const long offsets[] = { 0, 0, 8, 90, 4088, 4096, 4090, 8192 };
    static const long lengths[] = { 1, 8, 8, 16, 100 };
    struct random *r = &g->random;
    c->a[0] = draw_attachment(g, w);
    const struct piece *piece = model_piece((struct worker *)w, c->a[0]);
    c->a[1] = DRAW_FROM(r, offsets);
    c->a[2] = DRAW_FROM(r, lengths);
    if (piece && c->a[1] + c->a[2] > piece->bytes && draw_percent(r, 80))
        c->a[1] = piece->bytes - c->a[2];
}

static void draw_shmctl(struct generator *g, struct model *m, struct command *c)
{
    static const long common[] = {
        IPC_STAT, IPC_STAT, IPC_STAT, IPC_STAT, IPC_SET, IPC_SET, SHM_STAT, SHM_STAT_ANY, SHM_INFO, IPC_INFO,
        IPC_RMID, SHM_LOCK, SHM_UNLOCK,
    };
    draw_ctl(g, m, c, common, LENGTH(common), MAX_SEGMENTS);
    if ((c->a[1] == SHM_LOCK || c->a[1] == SHM_UNLOCK) && avoided(g, AVOID_SHM_LOCK))
        c->a[1] = IPC_STAT;
}

void generate_shm(struct generator *g, struct model *m, struct command *c)
{
    enum { ENOUGH_PIECES = 8 };
    const struct worker *w = &m->workers[c->worker];
    bool needs_piece = c->op == OP_SHMDT || c->op == OP_PEEK || c->op == OP_POKE;
    if (needs_piece && w->piece_count == 0 && draw_percent(&g->random, 95))
        c->op = OP_SHMAT;
    if (c->op == OP_SHMAT && w->piece_count >= ENOUGH_PIECES)
        c->op = OP_SHMDT;
    if (c->op == OP_SHMAT && model_live(m, SHM) == 0)
        c->op = OP_SHMGET;
    switch (c->op) {
    case OP_SHMGET: draw_shmget(g, m, c); break;
    case OP_SHMAT: draw_shmat(g, m, c); break;
    case OP_SHMDT: draw_shmdt(g, w, c); break;
    case OP_SHMCTL: draw_shmctl(g, m, c); break;
    default: draw_bytes(g, w, c);
    }
}
