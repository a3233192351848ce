/* The workers as processes: their beginning and end, whose turn it is, who sleeps. */
#include "model.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOOK_NS = 100000, LOOKS_ASLEEP = 3 };

/* One more than the descriptor, for those who live: a handler uses them. */
static int pidfds[WORKERS];

void kill_workers(void)
{
    for (int i = 0; i < WORKERS; i++)
        if (pidfds[i] > 0)
            syscall(SYS_pidfd_send_signal, pidfds[i] - 1, SIGKILL, NULL, 0);
}

static bool gone(const struct worker *w)
{
    struct pollfd one = { .fd = w->pidfd, .events = POLLIN };
    return poll(&one, 1, 0) == 1;
}

static bool sleeping(int statfd)
{
    char text[512];
    ssize_t bytes = pread(statfd, text, sizeof text - 1, 0);
    if (bytes <= 0)
        return false;
    text[bytes] = 0;
    const char *state = strrchr(text, ')');
    return state && state[1] == ' ' && state[2] == 'S';
}

static bool threads_sleep(pid_t pid)
{
    char path[64];
    bool all = true;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return false;
    _Alignas(struct dirent64) char entries[4096];
    for (long bytes; all && (bytes = syscall(SYS_getdents64, dir, entries, sizeof entries)) > 0;)
        for (long at = 0; all && at < bytes;) {
            const struct dirent64 *entry = (const void *)(entries + at);
            at += entry->d_reclen;
            if (entry->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%.20s/stat", entry->d_name);
            int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
            all = fd >= 0 && sleeping(fd);
            if (fd >= 0)
                close(fd);
        }
    close(dir);
    return all;
}

/* Whether a worker sleeps: with every_thread also those that a library may have started in it. */
bool asleep(struct worker *w, bool every_thread)
{
    return sleeping(w->statfd) && (!every_thread || threads_sleep(w->pid));
}

void give(struct slot *slot, const struct command *c, long handle)
{
    slot->command = *c;
    slot->handle = handle;
    slot->turn = TURN_GIVEN;
    futex_wake(&slot->turn);
}

time_t now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec;
}

/* Waits for the end of a turn. A call that may sleep is taken to do so when its process is seen asleep
 * several times in a row. */
enum outcome await(struct worker *w, struct slot *slot, bool blocks)
{
    int looks = 0;
    time_t guard = now_s() + GUARD_S;
    for (;;) {
        if (slot->turn == TURN_DONE)
            return FINISHED;
        if (futex_wait(&slot->turn, TURN_GIVEN, LOOK_NS) == 0 || errno != ETIMEDOUT)
            continue;
        if (slot->turn == TURN_DONE)
            return FINISHED;
        if (w->pidfd >= 0 && gone(w))
            return DIED;
        looks = blocks && asleep(w, false) ? looks + 1 : 0;
        if (looks >= LOOKS_ASLEEP && slot->turn == TURN_GIVEN)
            return BLOCKED;
        if (now_s() > guard)
            return HUNG;
    }
}

static void born(struct model *m, int index, pid_t pid)
{
    struct worker *w = &m->workers[index];
    const struct result *r = &m->shared->slots[index].result;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    w->pid = pid;
    w->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    w->statfd = open(path, O_RDONLY | O_CLOEXEC);
    if (w->pidfd < 0 || w->statfd < 0)
        abort();
    pidfds[index] = w->pidfd + 1;
    w->alive = true;
    w->blocked = w->registered = w->changed = false;
    w->generation++;
    w->handled_shown = m->shared->slots[index].handled;
    w->ruid = r->ruid;
    w->euid = r->euid;
    w->rgid = r->rgid;
    w->egid = r->egid;
    model_new_pid(m, index, pid);
    model_forget_refusals(m, index);
}

static void buried(struct worker *w, int index)
{
    w->alive = w->blocked = false;
    close(w->pidfd);
    close(w->statfd);
    w->pidfd = w->statfd = -1;
    pidfds[index] = 0;
    model_forget_mqds(w);
}

/* Waits until a process has left the namespace: its descriptors are closed before its pidfd tells. */
bool bury(struct model *m, int index)
{
    struct worker *w = &m->workers[index];
    struct pollfd one = { .fd = w->pidfd, .events = POLLIN };
    if (poll(&one, 1, GUARD_S * 1000) != 1)
        return false;
    buried(w, index);
    learn_end(m, index);
    return true;
}

bool spawn(struct model *m, int index, int identity)
{
    struct slot *slot = &m->shared->slots[index];
    slot->turn = TURN_GIVEN;
    put_flush();
    pid_t pid = fork();
    if (pid == 0)
        worker_spawned(m->shared, index, identity);
    if (pid < 0 || await(&m->workers[index], slot, false) != FINISHED)
        return false;
    model_forget_mqds(&m->workers[index]);
    born(m, index, pid);
    return true;
}

/* The parent has forked: waits for the child to take its place in the slot. */
bool adopt(struct model *m, const struct command *c, pid_t pid)
{
    int index = (int)c->a[0];
    struct worker *child = &m->workers[index], *parent = &m->workers[c->worker];
    if (pid < 0 || await(child, &m->shared->slots[index], false) != FINISHED)
        return false;
    memcpy(child->mqds, parent->mqds, sizeof child->mqds);
    child->mqd_count = parent->mqd_count;
    memcpy(child->pieces, parent->pieces, sizeof child->pieces);
    child->piece_count = parent->piece_count;
    born(m, index, pid);
    return true;
}

void executed(struct model *m, struct worker *w)
{
    int kept = 0;
    for (int i = 0; i < w->mqd_count; i++)
        if (w->mqds[i].open && !w->mqds[i].cloexec)
            w->mqds[kept++] = w->mqds[i];
    w->mqd_count = kept;
    w->registered = false;
    w->handled_shown = m->shared->slots[w - m->workers].handled;
}

void signal_worker(const struct worker *w, int signo)
{
    syscall(SYS_pidfd_send_signal, w->pidfd, signo, NULL, 0);
}
