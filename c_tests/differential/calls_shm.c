/* The calls on shared memory segments, and access to the memory. */
#include "differential.h"

#include <setjmp.h>
#include <string.h>

static sigjmp_buf back;

static void fault(int signo)
{
    siglongjmp(back, signo);
}

void set_up_faults(void)
{
    signal(SIGSEGV, fault);
    signal(SIGBUS, fault);
}

static void *place(long at, long offset)
{
    switch (at) {
    case PLACE_ANY: return NULL;
    case PLACE_KERNEL: return pointer(POINTER_KERNEL, NULL);
    case PLACE_NONCANONICAL: return pointer(POINTER_NONCANONICAL, NULL);
    default: return REGION + at * PLACE_BYTES + offset;
    }
}

static void call_shmctl(const struct command *c, int id, struct result *r)
{
    union {
        struct shmid_ds ds;
        struct shminfo shminfo;
        struct shm_info shm_info;
        unsigned char bytes[256];
    } u, filled;
    int cmd = (int)c->a[1];
    memset(&u, FILL, sizeof u);
    if (cmd == IPC_SET) {
        u.ds.shm_perm.uid = (uid_t)c->a[3];
        u.ds.shm_perm.gid = (gid_t)c->a[4];
        u.ds.shm_perm.mode = (mode_t)c->a[5];
    }
    filled = u;
    before();
    r->ret = shmctl(id, cmd, pointer((enum pointer)c->a[2], &u));
    after(r);
    r->written = memcmp(&u, &filled, sizeof u) != 0;
    if (cmd == IPC_INFO)
        r->shminfo = u.shminfo;
    else if (cmd == SHM_INFO)
        r->shm_info = u.shm_info;
    else
        r->segment = u.ds;
}

/* handle is an identifier, or the address that an attachment began at. */
void call_shm(const struct command *c, long handle, struct result *r)
{
    switch (c->op) {
    case OP_SHMAT:
        before();
        r->ret = (long)shmat((int)handle, place(c->a[1], c->a[2]), (int)c->a[3]);
        after(r);
        break;
    case OP_SHMDT:
        before();
        r->ret = shmdt((char *)handle + c->a[1]);
        after(r);
        break;
    case OP_SHMCTL: call_shmctl(c, (int)handle, r); break;
    default:
        before();
        r->ret = shmget((key_t)c->a[0], (size_t)c->a[1], (int)c->a[2]);
        after(r);
    }
}

/* Reads or writes as a program does, and survives what it may not touch. */
void touch_memory(const struct command *c, char *at, struct result *r)
{
    volatile unsigned char *bytes = (unsigned char *)at + c->a[1];
    r->ret = 0;
    r->sum = 2166136261;
    r->fault = sigsetjmp(back, 1);
    if (r->fault != 0)
        return;
    for (long i = 0; i < c->a[2]; i++)
        if (c->op == OP_POKE)
            bytes[i] = (unsigned char)(c->number * 31 + i * 7);
        else
            r->sum = (r->sum ^ bytes[i]) * 16777619;
}
