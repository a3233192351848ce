/* Single steps, and where on the way the world changes. */
#include "points.h"
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int is_asleep(pid_t pid)
{
    char path[40], line[200], *state;
    int fd, got;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return 0;
    got = (int)read(fd, line, sizeof line - 1);
    close(fd);
    line[got > 0 ? got : 0] = 0;
    state = strrchr(line, ')');
    return state && state[2] == 'S';
}

pid_t start_stepped(void (*warm)(void), void (*call)(void))
{
    int status;
    pid_t pid = fork();

    need(pid != -1, "fork");
    if (pid == 0) {
        pid_t me = getpid();

        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        if (warm)
            warm();
        kill(me, SIGSTOP);
        call();
        kill(me, SIGSTOP);
        _exit(0);
    }
    need(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP,
         "the victim did not come to its call: status %#x", status);
    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_EXITKILL);
    return pid;
}

void kill_and_reap(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    need(waitpid(pid, &status, 0) == pid, "waitpid");
}

/* Waits for the next stop; a victim that falls asleep is fed. */
static int next_stop(pid_t pid)
{
    int status, tries = 0;
    long until = now_ms() + 10 * WAIT_MS;

    if (!scenario->feed) {
        need(waitpid(pid, &status, 0) == pid, "waitpid");
        return status;
    }
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (++tries < 20) {
            sched_yield();
            continue;
        }
        if (!fed && is_asleep(pid)) {
            fed = 1;
            scenario->feed();
        }
        need(now_ms() < until, "the victim stays asleep");
        usleep(100);
    }
    return status;
}

/* One step. 0: the call is over. A signal (of a child's end) goes to the victim. */
static int step_once(pid_t pid)
{
    int status;
    long sent = 0;

    do {
        need(ptrace(PTRACE_SINGLESTEP, pid, NULL, sent) == 0, "PTRACE_SINGLESTEP");
        status = next_stop(pid);
        need(WIFSTOPPED(status), "the victim ended: status %#x", status);
        sent = WSTOPSIG(status);
    } while (sent != SIGTRAP && sent != SIGSTOP);
    return sent == SIGTRAP;
}

unsigned long pc_of(pid_t pid)
{
    errno = 0;
    return (unsigned long)ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user_regs_struct, rip), NULL);
}

int step_to(pid_t pid, int n, unsigned long pc)
{
    int more = 100;

    while (n-- > 0)
        if (!step_once(pid))
            return 1;
    while (pc && pc_of(pid) != pc && more-- > 0)
        if (!step_once(pid))
            return 1;
    return 0;
}

static int at_system_call(pid_t pid, unsigned long pc)
{
    return (ptrace(PTRACE_PEEKTEXT, pid, pc, NULL) & 0xffff) == 0x050f;
}

/* The objects' files, as they are after the last system call. */
static struct {
    int fd[64];
    int count;
} files;

static void open_files(void)
{
    static const char *const rooms[] = {"msg", "sem", "shm", "mq", "psem", "pshm"};
    const char *top = getenv("USIPC_DIR");
    size_t i;

    while (files.count)
        close(files.fd[--files.count]);
    for (i = 0; i < LENGTH(rooms); i++) {
        char path[4096];
        struct dirent *entry;
        DIR *dir;

        snprintf(path, sizeof path, "%s/%s", top, rooms[i]);
        dir = opendir(path);
        while (dir && (entry = readdir(dir)))
            if (entry->d_type == DT_REG && files.count < (int)LENGTH(files.fd))
                files.fd[files.count++] = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
        if (dir)
            closedir(dir);
    }
}

static uint64_t mixed(uint64_t word, uint64_t place)
{
    word = (word ^ (place * 0xd6e8feb86659fd93U)) * 0x9e3779b97f4a7c15U;
    return (word ^ word >> 29) * 0xbf58476d1ce4e5b9U;
}

/* A sum over all that is written in them. Holes are passed over: looking into one would fill it. */
static uint64_t sum_files(void)
{
    static uint64_t buffer[8192];
    uint64_t sum = 0;
    int i;

    for (i = 0; i < files.count; i++) {
        off_t at = 0, end;

        while ((at = lseek(files.fd[i], at, SEEK_DATA)) != -1) {
            end = lseek(files.fd[i], at, SEEK_HOLE);
            while (at < end) {
                size_t want = (size_t)(end - at) < sizeof buffer ? (size_t)(end - at) : sizeof buffer, k;
                ssize_t got = pread(files.fd[i], buffer, want, at);

                if (got <= 0)
                    break;
                for (k = 0; k < (size_t)got / 8; k++)
                    if (buffer[k])
                        sum += mixed(buffer[k], (uint64_t)at / 8 + k);
                at += got;
            }
            at = end;
        }
    }
    return sum;
}

static struct step *room_for(struct trace *trace, int i)
{
    if (i >= trace->room) {
        trace->room = trace->room ? 2 * trace->room : 4096;
        trace->steps = realloc(trace->steps, (size_t)trace->room * sizeof *trace->steps);
        need(trace->steps != NULL, "memory");
    }
    return &trace->steps[i];
}

void trace_to_end(pid_t pid, struct trace *trace)
{
    uint64_t before, now;
    int i = 0;

    open_files();
    before = sum_files();
    *room_for(trace, 0) = (struct step){pc_of(pid), 1};
    for (;;) {
        struct step *next;
        int system_call = at_system_call(pid, trace->steps[i].pc);

        if (!step_once(pid))
            break;
        if (system_call)
            open_files();
        now = sum_files();
        next = room_for(trace, ++i);
        *next = (struct step){pc_of(pid), system_call || now != before};
        before = now;
    }
    trace->steps[i].change = 1;
    trace->length = i;
}
