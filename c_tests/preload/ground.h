/*
 * What the programs of preload/, nosyscall/ and hostile/ share: saying, checking, children with a hang
 * guard. A program says on stdout what must be the same on the kernel's queues and on usipc's, and exits
 * with 125 and a line on stderr as soon as something is wrong in itself (a status at which lib.sh's oracle
 * does not believe the kernel's run either).
 */
#ifndef GROUND_H
#define GROUND_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GROUND_API __attribute__((unused)) static
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { TEXT_BYTES = 64 };

struct text_message {
    long type;
    char text[TEXT_BYTES];
};

#define NAME(constant) case constant: return #constant

GROUND_API const char *errno_name(int number)
{
    switch (number) {
        NAME(E2BIG); NAME(EACCES); NAME(EAGAIN); NAME(EBADF); NAME(EBADMSG); NAME(EBUSY); NAME(ECHILD);
        NAME(EEXIST); NAME(EFAULT); NAME(EFBIG); NAME(EIDRM); NAME(EINTR); NAME(EINVAL); NAME(EIO);
        NAME(EISDIR); NAME(ELOOP); NAME(EMFILE); NAME(EMSGSIZE); NAME(ENAMETOOLONG); NAME(ENFILE);
        NAME(ENODEV); NAME(ENOENT); NAME(ENOMEM); NAME(ENOMSG); NAME(ENOSPC); NAME(ENOSYS); NAME(ENOTDIR);
        NAME(ENOTSUP); NAME(ENXIO); NAME(EOVERFLOW); NAME(EPERM); NAME(EPIPE); NAME(ERANGE); NAME(EROFS);
        NAME(ESRCH); NAME(ETIMEDOUT); NAME(ETXTBSY); NAME(EXDEV);
    case 0: return "0";
    default: return "E?";
    }
}
#undef NAME

/* A line on stdout, written at once: nothing is left in a buffer for a forked or killed process. */
__attribute__((format(printf, 1, 2))) GROUND_API void say(const char *format, ...)
{
    int saved = errno;
    char line[512];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(3);
    errno = saved;
}

/* The end of this process: a line on stderr and status 125. */
__attribute__((format(printf, 3, 4), noreturn)) GROUND_API void wrong(const char *file, int line,
                                                                       const char *format, ...)
{
    int number = errno;
    char text[400];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    dprintf(STDERR_FILENO, "%s:%d: %s (errno %s)\n", file, line, text, errno_name(number));
    _exit(125);
}

#define WRONG(...) wrong(__FILE__, __LINE__, __VA_ARGS__)
/* `condition` must hold; the words after it say what was being tried. */
#define NEED(condition, ...) \
    do { \
        if (!(condition)) \
            WRONG(__VA_ARGS__); \
    } while (0)

/* "ok" or the name of errno, for a call that returned `value`. */
GROUND_API const char *outcome(long value) { return value == -1 ? errno_name(errno) : "ok"; }

GROUND_API void sleep_ms(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    while (nanosleep(&time, &time) == -1 && errno == EINTR)
        ;
}

GROUND_API int64_t now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Memory that forked children share with this process, zeroed. */
GROUND_API void *shared_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    NEED(memory != MAP_FAILED, "mmap of %zu bytes", bytes);
    return memory;
}

/* "exit N" or "signal N". */
GROUND_API const char *status_text(int status)
{
    static char text[32];

    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "signal %d", WTERMSIG(status));
    else
        snprintf(text, sizeof text, "exit %d", WEXITSTATUS(status));
    return text;
}

GROUND_API int reap(pid_t pid)
{
    int status;
    pid_t reaped;

    do
        reaped = waitpid(pid, &status, 0);
    while (reaped == -1 && errno == EINTR);
    NEED(reaped == pid, "waitpid");
    return status;
}

/* Waits for a child that must end well. */
GROUND_API void reap_well(pid_t pid, const char *what)
{
    int status = reap(pid);

    if (status != 0) {
        errno = 0;
        WRONG("%s ended with %s", what, status_text(status));
    }
}

/* A child that is killed when this process ends: a test that fails leaves nobody behind. */
GROUND_API pid_t fork_bound(void)
{
    pid_t parent = getpid(), pid = fork();

    NEED(pid != -1, "fork");
    if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent))
        _exit(126);
    return pid;
}

/* Runs body(argument) in a child, whose status is what body returns. */
GROUND_API pid_t start(int (*body)(void *), void *argument)
{
    pid_t pid = fork_bound();

    if (pid == 0)
        _exit(body(argument));
    return pid;
}

GROUND_API int put_text(int msqid, long type, const char *text, int flags)
{
    struct text_message message;
    size_t length = strlen(text);

    message.type = type;
    memcpy(message.text, text, length);
    return msgsnd(msqid, &message, length, flags);
}

/* Receives and says; the words before it tell which call this was. */
GROUND_API void say_msgrcv(const char *who, int msqid, long type, int flags)
{
    struct text_message message;
    ssize_t received = msgrcv(msqid, &message, sizeof message.text, type, flags);

    if (received == -1)
        say("%s: msgrcv %s", who, outcome(-1));
    else
        say("%s: msgrcv type %ld \"%.*s\"", who, message.type, (int)received, message.text);
}

GROUND_API mqd_t small_queue(const char *name, int oflag, mode_t mode)
{
    struct mq_attr attr = {.mq_maxmsg = 8, .mq_msgsize = TEXT_BYTES};

    return mq_open(name, oflag | O_CREAT, mode, &attr);
}

GROUND_API void say_mq_receive(const char *who, mqd_t mqd)
{
    char text[TEXT_BYTES];
    unsigned priority = 0;
    struct timespec soon;
    ssize_t received;

    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_sec += 5;
    received = mq_timedreceive(mqd, text, sizeof text, &priority, &soon);
    if (received == -1)
        say("%s: mq_receive %s", who, outcome(-1));
    else
        say("%s: mq_receive priority %u \"%.*s\"", who, priority, (int)received, text);
}

/* Entries of the namespace's folder `folder`, its bookkeeping (names that begin with a dot) left out;
 * 0 on the kernel and where there is no such folder. Their names go to stderr. */
GROUND_API int namespace_entries(const char *folder)
{
    const char *directory = getenv("USIPC_DIR");
    char path[4096];
    struct dirent *entry;
    int entries = 0;
    DIR *stream;

    if (!directory)
        return 0;
    snprintf(path, sizeof path, "%s/%s", directory, folder);
    stream = opendir(path);
    while (stream && (entry = readdir(stream)))
        if (entry->d_name[0] != '.') {
            dprintf(STDERR_FILENO, "left behind: %s/%s\n", folder, entry->d_name);
            entries++;
        }
    if (stream)
        closedir(stream);
    return entries;
}

/* System V queues that the whole namespace holds, as msgctl(2) counts them. */
GROUND_API int queues_in_use(void)
{
    struct msginfo info;

    NEED(msgctl(0, MSG_INFO, (struct msqid_ds *)&info) != -1, "MSG_INFO");
    return info.msgpool;
}

struct mode {
    const char *name;
    int (*run)(void);
};

/* main() of a program with several modes: PROGRAM MODE [ARGUMENTS]. */
GROUND_API int run_mode(const struct mode *modes, size_t count, const char *name)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (name && strcmp(modes[i].name, name) == 0)
            return modes[i].run();
    dprintf(STDERR_FILENO, "no such mode: %s\n", name ? name : "(none)");
    return 2;
}

#endif
