/*
 * half_made: a process that makes an object stands between the object's name and its key, and after it; others count it
 * meanwhile. Then it is killed: without its key the object goes at the next count, with it it stays and can be used.
 * The same where another was killed as he removed one.
 * Ends with 77 where nobody may be traced.
 */
#include "ground.h"
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

enum { KEY = 0x4a1f };

static int get_queue(int flags) { return msgget(KEY, flags); }
static int get_set(int flags) { return semget(KEY, 3, flags); }
static int get_segment(int flags) { return shmget(KEY, 5000, flags); }

static int count_sets(void)
{
    struct seminfo info;

    NEED(semctl(0, 0, SEM_INFO, &info) != -1, "SEM_INFO");
    return info.semusz;
}

static int count_segments(void)
{
    struct shm_info info;

    NEED(shmctl(0, SHM_INFO, (struct shmid_ds *)&info) != -1, "SHM_INFO");
    return info.used_ids;
}

static int remove_queue(int id) { return msgctl(id, IPC_RMID, NULL); }
static int remove_set(int id) { return semctl(id, 0, IPC_RMID); }
static int remove_segment(int id) { return shmctl(id, IPC_RMID, NULL); }

static const struct kind {
    const char *name;
    int (*get)(int flags);
    int (*count)(void);
    int (*remove)(int id);
} kinds[] = {
    {"queue", get_queue, queues_in_use, remove_queue},
    {"set", get_set, count_sets, remove_set},
    {"segment", get_segment, count_segments, remove_segment},
};

/* Leads it to where it enters or leaves its next system call; whether that is the entry to `number`. */
static int next_is(pid_t pid, long number)
{
    struct __ptrace_syscall_info info;
    int status;

    NEED(ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0, "PTRACE_SYSCALL");
    status = reap(pid);
    NEED(WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80), "status %x instead of a system call", status);
    NEED(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0, "PTRACE_GET_SYSCALL_INFO");
    return info.op == PTRACE_SYSCALL_INFO_ENTRY && (long)info.entry.nr == number;
}

/* Leads it to where it enters the system call `number` for the `count`th time from here. */
static void lead_to(pid_t pid, long number, int count)
{
    while (count)
        count -= next_is(pid, number);
}

static void kill_it(pid_t pid)
{
    kill(pid, SIGKILL);
    reap(pid);
}

static int makes(const struct kind *kind) { return kind->get(IPC_CREAT | IPC_EXCL | 0600) == -1; }
static int removes(const struct kind *kind) { return kind->remove(kind->get(0)); }
static int counts(const struct kind *kind) { return kind->count() == -1; }

/* A process that is about to act. */
static pid_t start_traced(const struct kind *kind, int (*act)(const struct kind *))
{
    pid_t pid = fork_bound();
    int status;

    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
            _exit(77);
        raise(SIGSTOP);
        _exit(act(kind));
    }
    status = reap(pid);
    if (!WIFSTOPPED(status)) {
        say("nobody may be traced here");
        _exit(77);
    }
    NEED(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0, "PTRACE_SETOPTIONS");
    return pid;
}

static void half_made(const struct kind *kind, int has_key)
{
    pid_t pid = start_traced(kind, makes);
    int id;

    lead_to(pid, SYS_symlinkat, 1);
    if (has_key)
        NEED(!next_is(pid, SYS_symlinkat), "two keys");
    NEED(kind->count() == 1, "%d %ss while one is being made", kind->count(), kind->name);
    NEED((kind->get(0) != -1) == has_key, "a key of a %s that is being made", kind->name);
    kill_it(pid);
    NEED(kind->count() == has_key, "%d %ss after its maker's death", kind->count(), kind->name);
    id = kind->get(0);
    NEED((id != -1) == has_key, "the key of the %s", kind->name);
    if (has_key)
        NEED(kind->remove(id) == 0, "removing the %s", kind->name);
    NEED(kind->count() == 0, "%d %ss are left", kind->count(), kind->name);
}

/* Makes an object, whose remover is killed when its name has just gone. */
static void half_removed(const struct kind *kind)
{
    pid_t pid;

    NEED(kind->get(IPC_CREAT | 0600) != -1, "a %s", kind->name);
    pid = start_traced(kind, removes);
    /* The first is that of the key. */
    lead_to(pid, SYS_unlinkat, 2);
    next_is(pid, SYS_unlinkat);
    kill_it(pid);
}

/* And another when his has just come: not together, either, do they leave anything that is not seen. */
static void half_removed_half_made(const struct kind *kind)
{
    pid_t pid;

    half_removed(kind);
    pid = start_traced(kind, makes);
    lead_to(pid, SYS_linkat, 1);
    next_is(pid, SYS_linkat);
    kill_it(pid);
    NEED(kind->count() == 0, "%d %ss after both deaths", kind->count(), kind->name);
}

/* While another puts in order what a killed remover left, and has read all names, a queue is made: it is not lost. */
static void made_meanwhile(void)
{
    const struct kind *queues = &kinds[0];
    int other = msgget(IPC_PRIVATE, 0600), id, highest, status;
    struct msginfo info;
    pid_t pid;

    NEED(other != -1, "a private queue");
    half_removed(queues);
    pid = start_traced(queues, counts);
    /* The second says that there are no more. */
    lead_to(pid, SYS_getdents64, 2);
    next_is(pid, SYS_getdents64);
    id = queues->get(IPC_CREAT | 0600);
    NEED(id != -1, "a queue");
    NEED(ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0, "PTRACE_DETACH");
    status = reap(pid);
    NEED(status == 0, "who counts ends with status %x", status);
    highest = msgctl(0, IPC_INFO, (struct msqid_ds *)&info);
    NEED(highest == (id & 0x7fff), "the highest index is %d, the queue's is %d", highest, id & 0x7fff);
    NEED(queues->remove(id) == 0 && queues->remove(other) == 0 && queues->count() == 0, "removing the queues");
}

int main(void)
{
    size_t i;

    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        half_made(&kinds[i], 0);
        half_made(&kinds[i], 1);
        half_removed_half_made(&kinds[i]);
    }
    made_meanwhile();
    return 0;
}
