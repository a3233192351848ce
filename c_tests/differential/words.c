/* The names and the pools of values that commands choose from. */
#include "differential.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* The arguments of a command, in the order of a[]. */
const char *const op_names[OPS] = {
    [OP_MSGGET] = "msgget",         /* key, flags */
    [OP_MSGSND] = "msgsnd",         /* queue, pointer, type, size, flags */
    [OP_MSGRCV] = "msgrcv",         /* queue, pointer, type, size, flags */
    [OP_MSGCTL] = "msgctl",         /* queue, cmd, pointer, uid, gid, mode, qbytes, whether by index */
    [OP_SEMGET] = "semget",         /* key, nsems, flags */
    [OP_SEMOP] = "semop",           /* set, pointer, nsops, timeout, and for each: semaphore, value, flags */
    [OP_SEMCTL] = "semctl",         /* set, cmd, pointer, uid, gid, mode, semaphore, whether by index, value */
    [OP_SHMGET] = "shmget",         /* key, size, flags */
    [OP_SHMAT] = "shmat",           /* segment, place, offset to it, flags */
    [OP_SHMDT] = "shmdt",           /* attachment, offset to it */
    [OP_SHMCTL] = "shmctl",         /* segment, cmd, pointer, uid, gid, mode, 0, whether by index */
    [OP_PEEK] = "peek",             /* attachment, offset, length */
    [OP_POKE] = "poke",             /* the same */
    [OP_MQ_OPEN] = "mq_open",       /* name, oflag, mode, pointer to attr, maxmsg, msgsize, curmsgs */
    [OP_MQ_CLOSE] = "mq_close",     /* mqd */
    [OP_MQ_UNLINK] = "mq_unlink",   /* name */
    [OP_MQ_SEND] = "mq_send",       /* mqd, pointer, length, priority, timeout */
    [OP_MQ_RECEIVE] = "mq_receive", /* mqd, pointer, length, pointer to priority, timeout */
    [OP_MQ_GETATTR] = "mq_getattr", /* mqd, pointer */
    [OP_MQ_SETATTR] = "mq_setattr", /* mqd, pointer, flags, pointer to the old attr */
    [OP_MQ_NOTIFY] = "mq_notify",   /* mqd, kind, signal, value */
    [OP_POLL] = "poll",             /* mqd */
    [OP_DUP] = "dup",               /* mqd, how */
    [OP_CLOSE] = "close",           /* mqd */
    [OP_DUP2_OVER] = "dup2_over",   /* mqd, which /dev/null takes the place of */
    [OP_CLOSE_ALL] = "close_all",
    [OP_UMASK] = "umask",           /* mask */
    [OP_SETEUID] = "seteuid",       /* uid */
    [OP_SETEGID] = "setegid",       /* gid */
    [OP_SETGROUPS] = "setgroups",   /* identity whose groups are taken */
    [OP_SIGWAIT] = "sigwait",
    [OP_FORK] = "fork",             /* worker that the child becomes, how */
    [OP_EXIT] = "exit",             /* 0 exit, 1 _exit */
    [OP_EXEC] = "exec",
    [OP_SPAWN] = "spawn",           /* identity */
    [OP_KILL] = "kill",
    [OP_SIGNAL] = "signal",         /* signal */
    [OP_SECOND] = "second",
};

const int op_args[OPS] = {
    [OP_MSGGET] = 2, [OP_MSGSND] = 5, [OP_MSGRCV] = 5, [OP_MSGCTL] = 8,
    [OP_SEMGET] = 3, [OP_SEMOP] = ARGS, [OP_SEMCTL] = 9,
    [OP_SHMGET] = 3, [OP_SHMAT] = 4, [OP_SHMDT] = 2, [OP_SHMCTL] = 8, [OP_PEEK] = 3, [OP_POKE] = 3,
    [OP_MQ_OPEN] = 7, [OP_MQ_CLOSE] = 1, [OP_MQ_UNLINK] = 1, [OP_MQ_SEND] = 5, [OP_MQ_RECEIVE] = 5,
    [OP_MQ_GETATTR] = 2, [OP_MQ_SETATTR] = 4, [OP_MQ_NOTIFY] = 4,
    [OP_POLL] = 1, [OP_DUP] = 2, [OP_CLOSE] = 1, [OP_DUP2_OVER] = 1, [OP_CLOSE_ALL] = 0,
    [OP_UMASK] = 1, [OP_SETEUID] = 1, [OP_SETEGID] = 1, [OP_SETGROUPS] = 1,
    [OP_SIGWAIT] = 0, [OP_FORK] = 2, [OP_EXIT] = 1, [OP_EXEC] = 0,
    [OP_SPAWN] = 1, [OP_KILL] = 0, [OP_SIGNAL] = 1, [OP_SECOND] = 0,
};

const char kind_letters[] = "qsm";

enum kind kind_of(enum op op)
{
    return op <= OP_MSGCTL ? MSG : op <= OP_SEMCTL ? SEM : SHM;
}

/* The ith operation of a semop. A call of more than OPERATIONS has the same ones over again. */
struct sembuf operation(const struct command *c, int i)
{
    const long *a = &c->a[4 + 3 * (i % OPERATIONS)];
    return (struct sembuf){ (unsigned short)a[0], (short)a[1], (short)a[2] };
}

#define FIFTY "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define LONG_NAME "/" FIFTY FIFTY FIFTY FIFTY FIFTY

/* The first six are good names; 255 is NAME_MAX. */
const char *const mq_names[] = {
    "/m0", "/m1", "/m2", "/m3", "/a queue", LONG_NAME "12345",
    "", "x", "/", "//a", "/a/b", "/.", "/..", "/m0/", "/...", "m0",
    LONG_NAME "123456", LONG_NAME FIFTY,
};
const int mq_name_count = LENGTH(mq_names);
const int mq_good_names = 6;

const char *mq_name(int index)
{
    return mq_names[index >= 0 && index < mq_name_count ? index : 0];
}

const char *mq_name_shown(int index)
{
    static char text[64];
    const char *name = mq_name(index);
    if (strlen(name) > 40)
        snprintf(text, sizeof text, "\"/nnn...\" of %zu", strlen(name) - 1);
    else
        snprintf(text, sizeof text, "\"%s\"", name);
    return text;
}

/* Identifiers and descriptors that are none: entry 0 is label -1. Sequence numbers near the top are never
 * reached by a run, so that these identifiers name nothing on either side. */
const int no_ids[] = { -1, INT_MIN, INT_MAX, 0x7ff0 << 15 | 5, 0x3fff8000 | 63 };
const int no_mqd_fds[] = { -1, 9999, FD_ORDINARY, FD_PIPE, INT_MIN, INT_MAX };
const long no_addresses[] = {
    0, 1, (long)REGION + 100 * PLACE_BYTES, (long)0xffff800000001000, 0x0400000000000000, -PAGE,
};

/* SIGUSR1 and the realtime signal 40 are blocked and fetched by sigwait; the others have handlers, SIGHUP's with
 * SA_RESTART. The last three name no signal that could be sent. */
const int notify_signals[] = { SIGUSR1, SIGUSR2, SIGHUP, 40, 41, 0, 65, -1 };
const int notify_signal_count = LENGTH(notify_signals);

const struct identity identities[] = {
    { 0, 0, 0, 0, 0, { 0 } },
    { 1000, 1000, 1000, 1000, 2, { 1000, 2000 } },
    { 1001, 1001, 1001, 1001, 1, { 2000 } },
    { 1002, 1002, 1002, 1000, 0, { 0 } },
    { 0, 0, 0, 2000, 1, { 1001 } },
    { 1001, 1000, 1002, 1001, 0, { 0 } },
    { 1000, 1000, 1000, 2000, 3, { 0, 1001, 1002 } },
    { 1002, 1002, 0, 1002, 1, { 1001 } },
};
const int identity_count = LENGTH(identities);

const struct word snd_words[] = { { IPC_NOWAIT, "IPC_NOWAIT" }, { 0, NULL } };
const struct word rcv_words[] = {
    { IPC_NOWAIT, "IPC_NOWAIT" }, { MSG_NOERROR, "MSG_NOERROR" }, { MSG_EXCEPT, "MSG_EXCEPT" },
    { MSG_COPY, "MSG_COPY" }, { 0, NULL },
};
const struct word get_words[] = { { IPC_CREAT, "IPC_CREAT" }, { IPC_EXCL, "IPC_EXCL" }, { 0, NULL } };
const struct word oflag_words[] = {
    { O_CREAT, "O_CREAT" }, { O_EXCL, "O_EXCL" }, { O_NONBLOCK, "O_NONBLOCK" }, { O_CLOEXEC, "O_CLOEXEC" },
    { O_TRUNC, "O_TRUNC" }, { O_APPEND, "O_APPEND" }, { O_DIRECTORY, "O_DIRECTORY" },
    { O_NOFOLLOW, "O_NOFOLLOW" }, { O_PATH, "O_PATH" }, { O_DIRECT, "O_DIRECT" }, { 0, NULL },
};
const struct word semop_words[] = { { IPC_NOWAIT, "IPC_NOWAIT" }, { SEM_UNDO, "SEM_UNDO" }, { 0, NULL } };
const struct word shmget_words[] = {
    { IPC_CREAT, "IPC_CREAT" }, { IPC_EXCL, "IPC_EXCL" }, { SHM_HUGETLB, "SHM_HUGETLB" },
    { SHM_NORESERVE, "SHM_NORESERVE" }, { 0, NULL },
};
const struct word shmat_words[] = {
    { SHM_RDONLY, "SHM_RDONLY" }, { SHM_RND, "SHM_RND" }, { SHM_REMAP, "SHM_REMAP" }, { SHM_EXEC, "SHM_EXEC" },
    { 0, NULL },
};
#define IPC_WORDS \
    { IPC_RMID, "IPC_RMID" }, { IPC_SET, "IPC_SET" }, { IPC_STAT, "IPC_STAT" }, { IPC_INFO, "IPC_INFO" }
static const struct word msgctl_words[] = {
    IPC_WORDS, { MSG_STAT, "MSG_STAT" }, { MSG_INFO, "MSG_INFO" }, { MSG_STAT_ANY, "MSG_STAT_ANY" }, { 0, NULL },
};
static const struct word semctl_words[] = {
    IPC_WORDS, { SEM_STAT, "SEM_STAT" }, { SEM_INFO, "SEM_INFO" }, { SEM_STAT_ANY, "SEM_STAT_ANY" },
    { GETVAL, "GETVAL" }, { SETVAL, "SETVAL" }, { GETALL, "GETALL" }, { SETALL, "SETALL" },
    { GETPID, "GETPID" }, { GETNCNT, "GETNCNT" }, { GETZCNT, "GETZCNT" }, { 0, NULL },
};
static const struct word shmctl_words[] = {
    IPC_WORDS, { SHM_STAT, "SHM_STAT" }, { SHM_INFO, "SHM_INFO" }, { SHM_STAT_ANY, "SHM_STAT_ANY" },
    { SHM_LOCK, "SHM_LOCK" }, { SHM_UNLOCK, "SHM_UNLOCK" }, { 0, NULL },
};
const struct word *const ctl_words[KINDS] = { msgctl_words, semctl_words, shmctl_words };
const struct word poll_words[] = {
    { POLLIN, "POLLIN" }, { POLLOUT, "POLLOUT" }, { POLLRDNORM, "POLLRDNORM" }, { POLLWRNORM, "POLLWRNORM" },
    { POLLERR, "POLLERR" }, { POLLHUP, "POLLHUP" }, { POLLNVAL, "POLLNVAL" }, { 0, NULL },
};

const char *errno_name(int err)
{
    const char *name = strerrorname_np(err);
    return name ? name : "an unknown errno";
}

const char *signal_name(int signo)
{
    static char text[32];
    const char *name = sigabbrev_np(signo);
    if (name)
        snprintf(text, sizeof text, "SIG%s", name);
    else
        snprintf(text, sizeof text, "signal %d", signo);
    return text;
}
