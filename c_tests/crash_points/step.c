/* Single steps, and where on the way the world changes. */
#include "points.h"
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

/* Lets it go on to its next trap. 0: the call is over. A signal (of a child's end) goes to the victim. */
static int go_on(pid_t pid, enum __ptrace_request how)
{
    int status;
    long sent = 0;

    do {
        need(ptrace(how, pid, NULL, sent) == 0, "ptrace");
        status = next_stop(pid);
        need(WIFSTOPPED(status), "the victim ended: status %#x", status);
        sent = WSTOPSIG(status);
    } while (sent != SIGTRAP && sent != SIGSTOP);
    return sent == SIGTRAP;
}

static int step_once(pid_t pid)
{
    return go_on(pid, PTRACE_SINGLESTEP);
}

unsigned long pc_of(pid_t pid)
{
    errno = 0;
    return (unsigned long)ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user_regs_struct, rip), NULL);
}

static void set_text(pid_t pid, unsigned long pc, long word)
{
    need(ptrace(PTRACE_POKETEXT, pid, pc, word) == 0, "PTRACE_POKETEXT");
}

/* Lets it run until it comes to `pc`, by a breakpoint. 0: the call is over before. */
static int run_until(pid_t pid, unsigned long pc)
{
    long word = ptrace(PTRACE_PEEKTEXT, pid, pc, NULL);
    int came;

    set_text(pid, pc, (word & ~0xffL) | 0xcc);
    came = go_on(pid, PTRACE_CONT);
    set_text(pid, pc, word);
    if (came)
        need(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rip), pc) == 0, "PTRACE_POKEUSER");
    return came;
}

int step_to(pid_t pid, const struct trace *way, int n)
{
    unsigned long pc = n <= way->length ? way->steps[n].pc : 0;
    int i, visits = 0, more = 100;

    for (i = 0; i < n && i <= way->length; i++)
        visits += way->steps[i].pc == pc;
    /* The child or thread that it makes would come to the breakpoint too; and who is fed is not to stop with the lock while
     * the feeder waits for it. */
    if (way->forks || scenario->feed) {
        while (n-- > 0)
            if (!step_once(pid))
                return 1;
        while (pc && pc_of(pid) != pc && more-- > 0)
            if (!step_once(pid))
                return 1;
        return 0;
    }
    for (;;) {
        if (pc_of(pid) != pc && !(pc ? run_until(pid, pc) : go_on(pid, PTRACE_CONT)))
            return 1;
        if (visits-- == 0)
            return 0;
        if (!step_once(pid))
            return 1;
    }
}

int step_along(pid_t pid, const struct trace *way, int n)
{
    int i;

    for (i = 0; i < n; i++)
        if ((i <= way->length && pc_of(pid) != way->steps[i].pc) || !step_once(pid))
            return i >= way->length;
    return 0;
}

/* The number of the system call that comes next, or -1. */
static long system_call_at(pid_t pid, unsigned long pc)
{
    if ((ptrace(PTRACE_PEEKTEXT, pid, pc, NULL) & 0xffff) != 0x050f)
        return -1;
    return ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user_regs_struct, rax), NULL);
}

static int makes_another(long system_call)
{
    return system_call == SYS_clone || system_call == SYS_clone3 || system_call == SYS_fork ||
           system_call == SYS_vfork;
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
    trace->forks = 0;
    *room_for(trace, 0) = (struct step){pc_of(pid), 1};
    for (;;) {
        struct step *next;
        long system_call = system_call_at(pid, trace->steps[i].pc);

        if (!step_once(pid))
            break;
        trace->forks |= makes_another(system_call);
        if (system_call != -1)
            open_files();
        now = sum_files();
        next = room_for(trace, ++i);
        *next = (struct step){pc_of(pid), system_call != -1 || now != before};
        before = now;
    }
    trace->steps[i].change = 1;
    trace->length = i;
}
