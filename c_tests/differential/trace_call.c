/* The first half of a line of the trace: the worker, the call and its arguments. */
#include "model.h"

#include <fcntl.h>
#include <string.h>

static void put_pointer(long kind, const char *good)
{
    static const char *const names[POINTERS] = { NULL, "NULL", "KERNEL", "NONCANONICAL" };
    put("%s", kind == POINTER_GOOD ? good : names[kind]);
}

static void put_size(long size)
{
    if (size < 0 || size > 1 << 20)
        put("%#lx", (unsigned long)size);
    else
        put("%ld", size);
}

static void put_handle(char kind, long label, const int *none)
{
    if (label < 0)
        put("%d", none[-1 - label]);
    else
        put("%c%ld", kind, label);
}

static void put_label(enum kind kind, long label)
{
    put_handle(kind_letters[kind], label, no_ids);
}

static void put_ctl(const struct command *c)
{
    enum kind kind = kind_of(c->op);
    const struct word *word = ctl_words[kind];
    while (word->name && word->value != c->a[1])
        word++;
    if (c->a[0] >= 0 && c->a[7] && word->name && strstr(word->name, "_STAT") && c->a[1] != IPC_STAT)
        put("index of ");
    put_label(kind, c->a[0]);
    if (kind == SEM)
        put(", %ld", c->a[6]);
    if (word->name)
        put(", %s", word->name);
    else
        put(", %ld", c->a[1]);
    if (kind == SEM && c->a[1] == SETVAL) {
        put(", %ld", c->a[8]);
        return;
    }
    put(", ");
    put_pointer(c->a[2], c->a[1] == IPC_SET ? "" : "&buf");
    if (c->a[2] != POINTER_GOOD)
        return;
    if (kind == SEM && c->a[1] == SETALL)
        put(" of %#lx", (unsigned long)c->a[8]);
    if (c->a[1] == IPC_SET)
        put("{uid=%ld gid=%ld mode=%#lo", c->a[3], c->a[4], c->a[5]);
    if (c->a[1] == IPC_SET && kind == MSG)
        put(" qbytes=%ld", c->a[6]);
    if (c->a[1] == IPC_SET)
        put("}");
}

static void put_message(const struct command *c)
{
    put_label(MSG, c->a[0]);
    put(", ");
    put_pointer(c->a[1], "&msg");
    put(", type=%ld, size=", c->a[2]);
    put_size(c->a[3]);
    put(", ");
    put_flags(c->a[4], c->op == OP_MSGSND ? snd_words : rcv_words, false);
}

static void put_open(const struct command *c)
{
    static const char *const access[] = { "O_RDONLY", "O_WRONLY", "O_RDWR", "3" };
    put("%s, %s", mq_name_shown((int)c->a[0]), access[c->a[1] & O_ACCMODE]);
    if (c->a[1] & ~O_ACCMODE) {
        put("|");
        put_flags(c->a[1] & ~O_ACCMODE, oflag_words, false);
    }
    if (!(c->a[1] & O_CREAT))
        return;
    put(", %#lo, ", c->a[2]);
    put_pointer(c->a[3], "");
    if (c->a[3] == POINTER_GOOD)
        put("{maxmsg=%ld msgsize=%ld curmsgs=%ld}", c->a[4], c->a[5], c->a[6]);
}

static void put_timeout(long kind)
{
    static const char *const names[TIMEOUTS] = {
        [TIMEOUT_NULL] = "NULL", [TIMEOUT_PAST] = "past", [TIMEOUT_ZERO] = "0", [TIMEOUT_NEAR] = "near",
        [TIMEOUT_FAR] = "far", [TIMEOUT_MAX] = "max", [TIMEOUT_NSEC_NEGATIVE] = "nsec=-1",
        [TIMEOUT_NSEC_BILLION] = "nsec=10^9", [TIMEOUT_SEC_NEGATIVE] = "sec=-1", [TIMEOUT_KERNEL] = "KERNEL",
        [TIMEOUT_NONCANONICAL] = "NONCANONICAL",
    };
    if (kind != TIMEOUT_PLAIN)
        put(", until %s", names[kind]);
}

static void put_semop(const struct command *c)
{
    put_label(SEM, c->a[0]);
    put(", ");
    put_pointer(c->a[1], "");
    for (int i = 0; c->a[1] == POINTER_GOOD && i < c->a[2] && i < OPERATIONS; i++) {
        struct sembuf o = operation(c, i);
        put("%s%u%+d", i ? " " : "{", o.sem_num, o.sem_op);
        if (o.sem_flg) {
            put(":");
            put_flags((unsigned short)o.sem_flg, semop_words, false);
        }
    }
    put("%s, %#lx", c->a[1] == POINTER_GOOD ? "}" : "", (unsigned long)c->a[2]);
    put_timeout(c->a[3]);
}

static void put_shmget(const struct command *c)
{
    put("%#x, ", (unsigned)c->a[0]);
    put_size(c->a[1]);
    put(", ");
    put_flags(c->a[2], shmget_words, true);
}

static void put_shmat(const struct command *c)
{
    static const char *const places[] = { "NULL", "KERNEL", "NONCANONICAL" };
    put_label(SHM, c->a[0]);
    if (c->a[1] < 0)
        put(", %s, ", places[-1 - c->a[1]]);
    else
        put(", region+%#lx, ", c->a[1] * PLACE_BYTES + c->a[2]);
    put_flags(c->a[3], shmat_words, false);
}

static void put_place(const struct command *c)
{
    if (c->a[0] < 0)
        put("%#lx", (unsigned long)no_addresses[-1 - c->a[0]]);
    else
        put("a%ld", c->a[0]);
    if (c->a[1])
        put("%+ld", c->a[1]);
    if (c->op != OP_SHMDT)
        put(", %ld", c->a[2]);
}

static void put_transfer(const struct command *c)
{
    put_handle('d', c->a[0], no_mqd_fds);
    put(", ");
    put_pointer(c->a[1], "buf");
    put(", ");
    put_size(c->a[2]);
    put(", ");
    if (c->op == OP_MQ_SEND)
        put("prio=%u", (unsigned)c->a[3]);
    else
        put_pointer(c->a[3], "&prio");
    put_timeout(c->a[4]);
}

static void put_setattr(const struct command *c)
{
    put_handle('d', c->a[0], no_mqd_fds);
    put(", ");
    put_pointer(c->a[1], "");
    if (c->a[1] == POINTER_GOOD)
        put("{flags=%#lx}", c->a[2]);
    put(", ");
    put_pointer(c->a[3], "&old");
}

static void put_notify(const struct command *c)
{
    static const char *const kinds[] = { "NULL", "SIGEV_NONE", "SIGEV_SIGNAL", "77", "SIGEV_THREAD_ID" };
    put_handle('d', c->a[0], no_mqd_fds);
    put(", %s", kinds[c->a[1]]);
    if (c->a[1] != NOTIFY_NULL)
        put(" %s value=%ld", signal_name((int)c->a[2]), c->a[3]);
}

static void put_identity(const char *before, long index)
{
    const struct identity *who = &identities[index];
    put("%suid=%u,%u,%u gid=%u groups=", before, who->ruid, who->euid, who->suid, who->gid);
    for (int i = 0; i < who->groups; i++)
        put("%s%u", i ? "," : "", who->group[i]);
}

static void put_arguments(const struct command *c)
{
    static const char *const forks[] = { "fork", "_Fork", "clone" };
    static const char *const dups[] = { "dup", "F_DUPFD_CLOEXEC", "dup2" };
    switch (c->op) {
    case OP_MSGGET: put("%#x, ", (unsigned)c->a[0]); put_flags(c->a[1], get_words, true); break;
    case OP_MSGSND: case OP_MSGRCV: put_message(c); break;
    case OP_MSGCTL: case OP_SEMCTL: case OP_SHMCTL: put_ctl(c); break;
    case OP_SEMGET: put("%#x, %ld, ", (unsigned)c->a[0], c->a[1]); put_flags(c->a[2], get_words, true); break;
    case OP_SEMOP: put_semop(c); break;
    case OP_SHMGET: put_shmget(c); break;
    case OP_SHMAT: put_shmat(c); break;
    case OP_SHMDT: case OP_PEEK: case OP_POKE: put_place(c); break;
    case OP_MQ_OPEN: put_open(c); break;
    case OP_MQ_UNLINK: put("%s", mq_name_shown((int)c->a[0])); break;
    case OP_MQ_SEND: case OP_MQ_RECEIVE: put_transfer(c); break;
    case OP_MQ_GETATTR: put_handle('d', c->a[0], no_mqd_fds); put(", "); put_pointer(c->a[1], "&attr"); break;
    case OP_MQ_SETATTR: put_setattr(c); break;
    case OP_MQ_NOTIFY: put_notify(c); break;
    case OP_MQ_CLOSE: case OP_POLL: case OP_CLOSE: case OP_DUP2_OVER: put_handle('d', c->a[0], no_mqd_fds); break;
    case OP_DUP: put_handle('d', c->a[0], no_mqd_fds); put(", %s", dups[c->a[1]]); break;
    case OP_UMASK: put("%#lo", c->a[0]); break;
    case OP_SETEUID: case OP_SETEGID: put("%ld", c->a[0]); break;
    case OP_SETGROUPS: put_identity("as ", c->a[0]); break;
    case OP_FORK: put("w%ld by %s", c->a[0], forks[c->a[1]]); break;
    case OP_EXIT: put(c->a[0] ? "_exit" : "exit"); break;
    case OP_SPAWN: put_identity("", c->a[0]); break;
    case OP_SIGNAL: put("%s", signal_name((int)c->a[0])); break;
    default: break;
    }
}

void trace_command(struct model *m, const struct command *c)
{
    put("#%ld w%d(%u) %s(", c->number, c->worker, m->workers[c->worker].euid, op_names[c->op]);
    put_arguments(c);
    put(")");
}
