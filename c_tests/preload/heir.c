/*
 * heir MODE: a lifeline that an earlier program image has handed on stays held while the process lives,
 * whatever it runs next, and no longer. The first image does by hand what the library does at exec for a
 * process with SEM_UNDO adjustments: it leaves a descriptor of its lifeline file behind.
 */
#include "ground.h"
#include <spawn.h>
#include <sys/syscall.h>

enum { PLACE = 700, REPORT = 9 };

struct record {
    uint32_t generation, pid, magic;
};

static int open_slot(const char *number, int flags)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/procs/%s", getenv("USIPC_DIR"), number);
    return open(path, flags | O_CLOEXEC);
}

/* Whether its process lives: one of the first three bytes is locked. */
static int is_held(int fd)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 3};

    NEED(fcntl(fd, F_OFD_GETLK, &lock) == 0, "F_OFD_GETLK");
    return lock.l_type != F_UNLCK;
}

/* The lifeline file of process `pid`: the one that is held, if any; its other images have had others. */
static int open_lifeline(pid_t pid, int flags)
{
    char path[4096];
    struct dirent *entry;
    struct record record;
    DIR *stream;
    int lifeline = -1;

    snprintf(path, sizeof path, "%s/procs", getenv("USIPC_DIR"));
    stream = opendir(path);
    NEED(stream, "%s", path);
    while ((entry = readdir(stream))) {
        int fd = entry->d_name[0] == '.' ? -1 : open_slot(entry->d_name, flags);

        if (fd == -1 || pread(fd, &record, sizeof record, 0) != sizeof record || record.pid != (uint32_t)pid ||
            (lifeline != -1 && !is_held(fd))) {
            close(fd);
            continue;
        }
        close(lifeline);
        lifeline = fd;
    }
    closedir(stream);
    NEED(lifeline != -1, "process %d has no lifeline", (int)pid);
    return lifeline;
}

static void use_a_queue(void)
{
    int msqid = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

    NEED(msqid != -1 && msgctl(msqid, IPC_RMID, NULL) == 0, "a queue");
}

/* The first image: registers, and leaves its lifeline to the next, which does `mode`. */
static int first_image(void *mode)
{
    char *argv[] = {"heir", "image", mode, "0", NULL};
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1};
    int fd;

    use_a_queue();
    fd = open_lifeline(getpid(), O_RDWR);
    NEED(fcntl(fd, F_OFD_SETLK, &lock) == 0 && fcntl(fd, F_DUPFD, PLACE) == PLACE, "handing on");
    syscall(SYS_execve, "/proc/self/exe", argv, environ);
    WRONG("execve");
}

static void report(void) { NEED(write(REPORT, "!", 1) == 1, "the report"); }

static void report_and_wait(void)
{
    report();
    for (;;)
        pause();
}

/* No descriptor of a lifeline file is open. */
static void need_closed(void)
{
    struct stat st;
    int fd;

    for (fd = 3; fd < 1024; fd++)
        NEED(fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_size != sizeof(struct record), "descriptor %d", fd);
}

static void run_by(int function, const char *path, char *step)
{
    char *argv[] = {"heir", "image", "functions", step, NULL};
    int fd;

    switch (function) {
    case 0: execl(path, argv[0], argv[1], argv[2], argv[3], (char *)NULL); break;
    case 1: execlp(path, argv[0], argv[1], argv[2], argv[3], (char *)NULL); break;
    case 2: execle(path, argv[0], argv[1], argv[2], argv[3], (char *)NULL, environ); break;
    case 3: execv(path, argv); break;
    case 4: execvp(path, argv); break;
    case 5: execve(path, argv, environ); break;
    case 6: execvpe(path, argv, environ); break;
    case 7: execveat(AT_FDCWD, path, argv, environ, 0); break;
    case 8:
        fd = open(path, O_RDONLY | O_CLOEXEC);
        fexecve(fd, argv, environ);
        close(fd);
    }
}

/* Image after image, each by another function. Some use a queue, and so have a lifeline of their own; not the last. */
static void image_functions(int step)
{
    char next[16];

    need_closed();
    if (step % 2 == 0)
        use_a_queue();
    snprintf(next, sizeof next, "%d", step + 1);
    run_by(step, "/nonexistent", next);
    need_closed();
    run_by(step, "/proc/self/exe", next);
    NEED(step == 9, "function %d", step);
    report_and_wait();
}

static void image_ends(int step)
{
    char *argv[] = {"heir", "image", "ends", "1", NULL};

    need_closed();
    if (step == 0)
        execve("/proc/self/exe", argv, environ);
    report();
}

/* env(1) is preloaded, and runs sleep(1), which is not. */
static void image_unaware(int step)
{
    (void)step;
    execlp("sh", "sh", "-c", "exec env -u LD_PRELOAD sh -c 'echo >&9; exec sleep 100'", (char *)NULL);
}

/* sh(1), not preloaded, has a preloaded child, which finds a descriptor that is not its own. */
static void image_parent(int step)
{
    need_closed();
    if (step == 1)
        report_and_wait();
    execl("/usr/bin/env", "env", "-u", "LD_PRELOAD", "sh", "-c",
          "LD_PRELOAD=\"$HEIR_PRELOAD\" \"$HEIR\" image parent 1 & exec sleep 100", (char *)NULL);
}

static void image_elsewhere(int step)
{
    char *argv[] = {"heir", "image", "elsewhere", step ? "2" : "1", NULL};

    need_closed();
    if (step == 2)
        report_and_wait();
    use_a_queue();
    NEED(setenv("USIPC_DIR", getenv("HEIR_ELSEWHERE"), 1) == 0, "setenv");
    execvp("/proc/self/exe", argv);
}

/* Children in all ways, which live on when it is killed. */
static void image_outlived(int step)
{
    char *argv[] = {"sleep", "100", NULL};
    pid_t pid;

    (void)step;
    if (fork() == 0)
        for (;;)
            pause();
    NEED(posix_spawnp(&pid, "sleep", NULL, NULL, argv, environ) == 0, "posix_spawnp");
    pid = vfork();
    if (pid == 0) {
        execvp("sleep", argv);
        _exit(1);
    }
    if (fork() == 0)
        execvp("sleep", argv);
    report_and_wait();
}

static int image(char **argv)
{
    static const struct {
        const char *name;
        void (*run)(int);
    } images[] = {{"functions", image_functions},
                  {"ends", image_ends},
                  {"unaware", image_unaware},
                  {"parent", image_parent},
                  {"elsewhere", image_elsewhere},
                  {"outlived", image_outlived}};
    size_t i;

    for (i = 0; i < LENGTH(images); i++)
        if (!strcmp(argv[0], images[i].name))
            images[i].run(atoi(argv[1]));
    return 0;
}

static pid_t begin(char *mode, int *lifeline)
{
    int ends[2];
    char byte;
    pid_t pid;

    NEED(pipe2(ends, O_CLOEXEC) == 0, "pipe");
    pid = fork_bound();
    if (pid == 0) {
        setpgid(0, 0);
        NEED(dup2(ends[1], REPORT) == REPORT, "dup2");
        _exit(first_image(mode));
    }
    close(ends[1]);
    NEED(read(ends[0], &byte, 1) == 1, "%s: the last image says nothing", mode);
    close(ends[0]);
    *lifeline = open_lifeline(pid, O_RDONLY);
    return pid;
}

static void killed(char *mode)
{
    int lifeline;
    pid_t pid = begin(mode, &lifeline);

    NEED(is_held(lifeline), "%s: the process lives", mode);
    kill(pid, SIGKILL);
    reap(pid);
    NEED(!is_held(lifeline), "%s: the process is dead", mode);
    kill(-pid, SIGKILL);
    close(lifeline);
}

static void ended(char *mode)
{
    int lifeline;
    pid_t pid = begin(mode, &lifeline);

    reap_well(pid, mode);
    NEED(!is_held(lifeline), "%s: the process has ended", mode);
    close(lifeline);
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "image"))
        return image(argv + 2);
    if (argc == 2 && !strcmp(argv[1], "ends"))
        ended(argv[1]);
    else if (argc == 2)
        killed(argv[1]);
    return 0;
}
