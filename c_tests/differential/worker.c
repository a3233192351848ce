/* A worker: a process with an identity of its own that makes the calls the stage hands it. */
#include "differential.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct shared *shared;
static struct slot *volatile own_slot;
static sigset_t fetched_signals;

long futex_wait(_Atomic uint32_t *word, uint32_t value, long timeout_ns)
{
    struct timespec timeout = { timeout_ns / 1000000000, timeout_ns % 1000000000 };
    return syscall(SYS_futex, word, FUTEX_WAIT, value, &timeout, NULL, 0);
}

void futex_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static struct signal_seen seen(const siginfo_t *info)
{
    return (struct signal_seen){ info->si_signo, info->si_code, info->si_pid, info->si_uid, info->si_value.sival_int };
}

static void handler(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)context;
    uint32_t n = own_slot->handled;
    own_slot->handled_signal[n % HANDLED_KEPT] = seen(info);
    own_slot->handled = n + 1;
}

static void handle(int signo, int flags)
{
    struct sigaction action = { .sa_flags = SA_SIGINFO | flags };
    action.sa_sigaction = handler;
    sigemptyset(&action.sa_mask);
    if (sigaction(signo, &action, NULL) != 0)
        abort();
}

static void set_up_signals(void)
{
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    handle(SIGUSR2, 0);
    handle(SIGHUP, SA_RESTART);
    handle(41, 0);
    sigemptyset(&fetched_signals);
    sigaddset(&fetched_signals, SIGUSR1);
    sigaddset(&fetched_signals, 40);
    sigprocmask(SIG_SETMASK, &fetched_signals, NULL);
    set_up_faults();
}

static void open_fixed_descriptors(void)
{
    int ends[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || pipe2(ends, O_CLOEXEC) != 0)
        abort();
    if (dup2(null, FD_ORDINARY) < 0 || dup2(ends[0], FD_PIPE) < 0)
        abort();
    close(null);
    close(ends[0]);
    close(ends[1]);
}

static void close_all_but_shared(void)
{
    if (close_range(3, FD_SHARED - 1, 0) != 0 || close_range(FD_SHARED + 1, ~0u, 0) != 0)
        abort();
}

static void take_identity(const struct identity *who)
{
    if (setgroups((size_t)who->groups, who->group) != 0 || setresgid(who->gid, who->gid, who->gid) != 0
        || setresuid(who->ruid, who->euid, who->suid) != 0)
        abort();
}

static void finish_turn(struct slot *slot)
{
    slot->turn = TURN_DONE;
    futex_wake(&slot->turn);
}

static void report_identity(struct result *r)
{
    uid_t saved_uid;
    gid_t saved_gid;
    getresuid(&r->ruid, &r->euid, &saved_uid);
    getresgid(&r->rgid, &r->egid, &saved_gid);
}

static void fetch_signals(struct result *r)
{
    const struct timespec at_once = { 0, 0 };
    siginfo_t info;
    while (r->signals < SIGNALS_KEPT && sigtimedwait(&fetched_signals, &info, &at_once) > 0)
        r->signal[r->signals++] = seen(&info);
    r->ret = r->signals;
}

static pid_t fork_as(enum fork_how how)
{
    switch (how) {
    case FORK_BARE: return _Fork();
    case FORK_CLONE: return (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
    default: return fork();
    }
}

/* In the child: it becomes another worker and has finished that one's turn. */
static void do_fork(const struct command *c, struct result *r)
{
    r->ret = fork_as((enum fork_how)c->a[1]);
    if (r->ret != 0)
        return;
    own_slot = &shared->slots[c->a[0]];
    report_identity(&own_slot->result);
}

static void do_exec(void)
{
    char number[16];
    snprintf(number, sizeof number, "%d", (int)(own_slot - shared->slots));
    char *const arguments[] = { "differential", "--worker", number, NULL };
    execv("/proc/self/exe", arguments);
    abort();
}

static void do_poll(int fd, struct result *r)
{
    struct pollfd one = { .fd = fd, .events = POLLIN | POLLOUT };
    r->ret = poll(&one, 1, 0);
    r->revents = one.revents;
}

static void do_dup(const struct command *c, int fd, struct result *r)
{
    if (c->a[1] == DUP_CLOEXEC)
        r->ret = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    else if (c->a[1] == DUP_TWO)
        r->ret = dup2(fd, FD_DUP2);
    else
        r->ret = dup(fd);
}

/* What is not a call of the library. */
static void do_other(const struct command *c, long given, struct result *r)
{
    int handle = (int)given;
    errno = 0;
    switch (c->op) {
    case OP_PEEK: case OP_POKE: touch_memory(c, (char *)given, r); break;
    case OP_POLL: do_poll(handle, r); break;
    case OP_DUP: do_dup(c, handle, r); break;
    case OP_CLOSE: r->ret = close(handle); break;
    case OP_DUP2_OVER: r->ret = dup2(FD_ORDINARY, handle) < 0 ? -1 : 0; break;
    case OP_CLOSE_ALL: close_all_but_shared(); open_fixed_descriptors(); break;
    case OP_UMASK: r->ret = umask((mode_t)c->a[0]); break;
    case OP_SETEUID: r->ret = seteuid((uid_t)c->a[0]); break;
    case OP_SETEGID: r->ret = setegid((gid_t)c->a[0]); break;
    case OP_SETGROUPS: r->ret = setgroups((size_t)identities[c->a[0]].groups, identities[c->a[0]].group); break;
    case OP_SIGWAIT: fetch_signals(r); break;
    case OP_FORK: do_fork(c, r); break;
    case OP_EXEC: do_exec(); break;
    case OP_EXIT:
        if (c->a[0] == 0)
            exit(0);
        _exit(0);
    default: break;
    }
    r->err = errno;
    r->errno_kept = true;
    if (c->op == OP_SETEUID || c->op == OP_SETEGID)
        report_identity(r);
}

static void obey(void)
{
    struct slot *slot = own_slot;
    struct result result;
    memset(&result, 0, sizeof result);
    if (slot->command.op <= OP_MQ_NOTIFY)
        make_call(&slot->command, slot->handle, &result);
    else
        do_other(&slot->command, slot->handle, &result);
    if (own_slot == slot) /* and not the child of a fork */
        slot->result = result;
}

/* A stage that was killed cannot end its workers: they look now and then whether it is still there. */
static void leave_with_the_stage(void)
{
    if (kill(shared->stage, 0) != 0 && errno == ESRCH)
        _exit(1);
}

static void work(void)
{
    for (;;) {
        finish_turn(own_slot);
        while (own_slot->turn != TURN_GIVEN)
            if (futex_wait(&own_slot->turn, TURN_DONE, 5000000000) != 0 && errno == ETIMEDOUT)
                leave_with_the_stage();
        obey();
    }
}

void worker_main(struct shared *memory, int slot)
{
    shared = memory;
    own_slot = &shared->slots[slot];
    memset(&own_slot->result, 0, sizeof own_slot->result);
    set_up_signals();
    report_identity(&own_slot->result);
    work();
    abort();
}

void worker_spawned(struct shared *memory, int slot, int identity)
{
    close_all_but_shared();
    open_fixed_descriptors();
    take_identity(&identities[identity]);
    umask(identity % 2 ? 0 : 022);
    worker_main(memory, slot);
}

void worker_reexecuted(int slot)
{
    void *memory = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, FD_SHARED, 0);
    if (memory == MAP_FAILED)
        abort();
    open_fixed_descriptors();
    worker_main(memory, slot);
}
