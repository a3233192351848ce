/* The calls on semaphores. */
#include "differential.h"

#include <string.h>

enum { MANY_OPERATIONS = 501, ROOM_NSEMS = MAX_NSEMS + 64 };

static void call_semop(const struct command *c, int id, struct result *r)
{
    static struct sembuf operations[MANY_OPERATIONS];
    static const struct timespec no_time;
    struct timespec t;
    for (int i = 0; i < MANY_OPERATIONS && (i < c->a[2] || i < OPERATIONS); i++)
        operations[i] = operation(c, i);
    struct sembuf *sops = pointer((enum pointer)c->a[1], operations);
    const struct timespec *until = timeout((enum timeout)c->a[3], &t, &no_time);
    before();
    if (c->a[3] == TIMEOUT_PLAIN)
        r->ret = semop(id, sops, (size_t)c->a[2]);
    else
        r->ret = semtimedop(id, sops, (size_t)c->a[2], until);
    after(r);
}

/* Small values, that differ from semaphore to semaphore; of a negative one, one is above SEMVMX. */
static void set_values(unsigned short *values, long value)
{
    for (int i = 0; i < MAX_NSEMS; i++)
        values[i] = (unsigned short)(value >> i % 4 * 4 & 15);
    if (value < 0)
        values[-value % 3] = 32768;
}

static void look_at_values(const unsigned short *values, struct result *r)
{
    const unsigned short untouched = FILL << 8 | FILL;
    r->values = ROOM_NSEMS;
    while (r->values > 0 && values[r->values - 1] == untouched)
        r->values--;
    memcpy(r->value, values, sizeof r->value);
    r->sum = 2166136261;
    for (int i = 0; i < r->values; i++)
        r->sum = (r->sum ^ values[i]) * 16777619;
}

static void call_semctl(const struct command *c, int id, struct result *r)
{
    static unsigned short values[ROOM_NSEMS];
    union { struct semid_ds ds; struct seminfo info; unsigned char bytes[256]; } u, filled;
    union semun argument;
    int cmd = (int)c->a[1];
    bool takes_values = cmd == GETALL || cmd == SETALL;
    memset(&u, FILL, sizeof u);
    if (cmd == IPC_SET) {
        u.ds.sem_perm.uid = (uid_t)c->a[3];
        u.ds.sem_perm.gid = (gid_t)c->a[4];
        u.ds.sem_perm.mode = (mode_t)c->a[5];
    }
    if (cmd == GETALL)
        memset(values, FILL, sizeof values);
    if (cmd == SETALL)
        set_values(values, c->a[8]);
    filled = u;
    argument.buf = pointer((enum pointer)c->a[2], takes_values ? (void *)values : &u);
    if (cmd == SETVAL)
        argument.val = (int)c->a[8];
    before();
    r->ret = semctl(id, (int)c->a[6], cmd, argument);
    after(r);
    r->written = memcmp(&u, &filled, sizeof u) != 0;
    if (cmd == GETALL)
        look_at_values(values, r);
    if (cmd == IPC_INFO || cmd == SEM_INFO)
        r->seminfo = u.info;
    else
        r->set = u.ds;
}

void call_sem(const struct command *c, int id, struct result *r)
{
    switch (c->op) {
    case OP_SEMOP: call_semop(c, id, r); break;
    case OP_SEMCTL: call_semctl(c, id, r); break;
    default:
        before();
        r->ret = semget((key_t)c->a[0], (int)c->a[1], (int)c->a[2]);
        after(r);
    }
}
