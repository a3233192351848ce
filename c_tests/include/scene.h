/*
 * A scene is a small scripted play about calls that block: actors (child processes or threads) go to
 * sleep in a call, the stage (the scene's own process) waits until they are asleep and then does
 * something to them. What everybody says goes to stdout in an order the script decides, so that a run
 * on the kernel's queues and a run on usipc's can be compared line by line.
 *
 *     static void receiver(void *arg) { arrive(); rcv(*(int *)arg, 0, 0); }
 *     static void removed(void) {
 *         int q = q_new();
 *         struct actor *a = spawn("receiver", receiver, &q);
 *         wait_blocked(a);
 *         msgctl(q, IPC_RMID, NULL);
 *         finish(a);
 *     }
 *     SCENES(SCENE(removed))
 *
 * Every scene runs in a process group of its own with a guard process, so that a crash or a hang is one
 * line of the trace and does not hide the scenes after it. Nothing printed may depend on a pid, a
 * descriptor number, an identifier or the time.
 */
#ifndef SCENE_H
#define SCENE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Each program uses but a part of what the headers define. */
#ifdef __cplusplus
#define SCENE_API [[maybe_unused]] static
#else
#define SCENE_API __attribute__((unused)) static
#endif

#include "scene_words.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { MAX_ACTORS = 48, ACTOR_TEXT_BYTES = 6000, COUNTERS = 32, GUARD_S = 60 };

struct actor {
    const char *name;
    pid_t pid;
    pid_t tid;
    pthread_t thread;
    int is_thread;
    int arrived; /* times it said that its next call may block */
    int awaited; /* how many of those the stage has waited for */
    int length;
    void (*body)(void *);
    void *arg;
    char text[ACTOR_TEXT_BYTES];
};

/* Shared by the scene's process and all its actors. */
struct stage {
    pid_t main_pid;
    int actors;
    int counter[COUNTERS];
    struct actor actor[MAX_ACTORS];
};

static struct stage *stage;
static __thread struct actor *self_actor;

struct scene {
    const char *name;
    void (*run)(void);
    void (*run_with)(int);
    int argument;
};

#define SCENE(function) {#function, function, NULL, 0}
#define SCENE_WITH(function, argument) {#function "-" #argument, NULL, function, argument}

/* ---- words ---- */

/* Says a whole line: the stage at once, an actor when the stage finishes it. Safe in a handler, and
 * leaves errno alone. */
__attribute__((format(printf, 1, 2))) SCENE_API void say(const char *format, ...)
{
    char line[512];
    va_list arguments;
    int saved = errno, length, at;

    va_start(arguments, format);
    length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';
    if (self_actor == NULL) {
        if (write(STDOUT_FILENO, line, length) != length)
            _exit(99);
    } else {
        at = __atomic_fetch_add(&self_actor->length, length, __ATOMIC_SEQ_CST);
        if (at + length <= ACTOR_TEXT_BYTES)
            memcpy(self_actor->text + at, line, length);
    }
    errno = saved;
}

/* For what must not go wrong outside the calls under test. */
SCENE_API void need(int condition, const char *what)
{
    if (condition)
        return;
    say("SCENE BROKEN: %s (%s)", what, errno_name(errno));
    _exit(98);
}

/* "= 0", "= 5" or "= -1 EAGAIN". */
SCENE_API const char *result(long value)
{
    static __thread char text[4][48];
    static __thread unsigned next;
    char *mine = text[next++ % 4];
    int saved = errno;

    if (value == -1)
        snprintf(mine, sizeof text[0], "= -1 %s", errno_name(saved));
    else
        snprintf(mine, sizeof text[0], "= %ld", value);
    errno = saved;
    return mine;
}

/* ---- waiting without races ---- */

SCENE_API void sleep_ms(long milliseconds)
{
    struct timespec span = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    while (nanosleep(&span, &span) == -1 && errno == EINTR)
        ;
}

SCENE_API int count(int counter) { return __atomic_load_n(&stage->counter[counter], __ATOMIC_SEQ_CST); }
SCENE_API int bump(int counter) { return __atomic_add_fetch(&stage->counter[counter], 1, __ATOMIC_SEQ_CST); }

/* Waits until a counter has reached a value; the guard process ends a wait that never does. */
SCENE_API void await(int counter, int at_least)
{
    int saved = errno;

    while (count(counter) < at_least)
        usleep(500);
    errno = saved;
}

/* The state letter of a thread; 0 when there is no such thread. */
SCENE_API char task_state(pid_t pid, pid_t tid)
{
    char path[64], text[512], *end;
    ssize_t length;
    int file;

    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)tid);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file == -1)
        return 0;
    length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0)
        return 0;
    text[length] = 0;
    end = strrchr(text, ')');
    return end == NULL ? 0 : end[2];
}

/* Asleep in two looks 2 ms apart: a short sleep on the way is not taken for the blocking call. */
SCENE_API int looks_asleep(pid_t pid, pid_t tid)
{
    if (task_state(pid, tid) != 'S')
        return 0;
    usleep(2000);
    return task_state(pid, tid) == 'S';
}

SCENE_API void wait_state(pid_t pid, pid_t tid, char state)
{
    while (task_state(pid, tid) != state)
        usleep(500);
}

/* Said by an actor right before a call that may block; the stage itself need not say it. */
SCENE_API void arrive(void)
{
    if (self_actor != NULL)
        __atomic_add_fetch(&self_actor->arrived, 1, __ATOMIC_SEQ_CST);
}

/* Waits until an actor sleeps, whatever it said; or has ended, which the trace will show. */
SCENE_API void wait_asleep(struct actor *actor)
{
    while (!looks_asleep(actor->pid, actor->tid)) {
        char state = task_state(actor->pid, actor->tid);
        if (state == 'Z' || state == 'X' || state == 0)
            return;
        usleep(500);
    }
}

/* Waits until an actor sleeps in the call that its next arrive() announced. */
SCENE_API void wait_blocked(struct actor *actor)
{
    actor->awaited++;
    while (__atomic_load_n(&actor->arrived, __ATOMIC_SEQ_CST) < actor->awaited)
        usleep(500);
    wait_asleep(actor);
}

/* ---- actors ---- */

SCENE_API struct actor *new_actor(const char *name, void (*body)(void *), void *arg)
{
    int index = __atomic_fetch_add(&stage->actors, 1, __ATOMIC_SEQ_CST);
    struct actor *actor = &stage->actor[index];

    need(index < MAX_ACTORS, "too many actors");
    actor->name = name;
    actor->body = body;
    actor->arg = arg;
    return actor;
}

/* What a child process does from its fork on. */
SCENE_API void act(struct actor *actor)
{
    self_actor = actor;
    actor->tid = (pid_t)syscall(SYS_gettid);
    __atomic_store_n(&actor->pid, getpid(), __ATOMIC_SEQ_CST);
    actor->body(actor->arg);
    _exit(0);
}

SCENE_API struct actor *spawn(const char *name, void (*body)(void *), void *arg)
{
    struct actor *actor = new_actor(name, body, arg);
    pid_t pid = fork();

    need(pid != -1, "fork");
    if (pid == 0)
        act(actor);
    actor->pid = pid;
    return actor;
}

SCENE_API void *act_in_thread(void *argument)
{
    struct actor *actor = (struct actor *)argument;

    self_actor = actor;
    actor->pid = getpid();
    actor->tid = (pid_t)syscall(SYS_gettid);
    actor->body(actor->arg);
    return NULL;
}

SCENE_API struct actor *spawn_thread(const char *name, void (*body)(void *), void *arg)
{
    struct actor *actor = new_actor(name, body, arg);

    actor->is_thread = 1;
    need(pthread_create(&actor->thread, NULL, act_in_thread, actor) == 0, "pthread_create");
    return actor;
}

/* Prints what an actor said, each line behind its name. */
SCENE_API void recite(struct actor *actor)
{
    int length = __atomic_load_n(&actor->length, __ATOMIC_SEQ_CST);
    char *line = actor->text, *end = actor->text + (length < ACTOR_TEXT_BYTES ? length : ACTOR_TEXT_BYTES);

    while (line < end) {
        char *newline = (char *)memchr(line, '\n', end - line);
        if (newline == NULL)
            break;
        say("%s: %.*s", actor->name, (int)(newline - line), line);
        line = newline + 1;
    }
}

SCENE_API void say_status(const char *name, int status)
{
    if (WIFSIGNALED(status))
        say("%s: killed by %s", name, signal_name(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0)
        say("%s: exit %d", name, WEXITSTATUS(status));
}

/* Waits for an actor's end and prints what it said; an end other than exit 0 is said too. */
SCENE_API void finish(struct actor *actor)
{
    int status = 0;
    void *value = NULL;

    if (actor->is_thread) {
        need(pthread_join(actor->thread, &value) == 0, "pthread_join");
        recite(actor);
        if (value == PTHREAD_CANCELED)
            say("%s: cancelled", actor->name);
        return;
    }
    while (waitpid(actor->pid, &status, 0) == -1)
        need(errno == EINTR, "waitpid");
    recite(actor);
    say_status(actor->name, status);
}

/* SIGKILLs an actor and waits until it is dead but still a zombie. */
SCENE_API void kill_to_zombie(struct actor *actor)
{
    siginfo_t info;

    kill(actor->pid, SIGKILL);
    while (waitid(P_PID, (id_t)actor->pid, &info, WEXITED | WNOWAIT) == -1)
        need(errno == EINTR, "waitid");
}

/* A pid (or, where the kernel shows one, a thread's id) as the trace may show it. */
SCENE_API const char *who(pid_t pid)
{
    if (pid == 0)
        return "nobody";
    if (pid == stage->main_pid)
        return "stage";
    for (int i = 0; i < stage->actors && i < MAX_ACTORS; i++)
        if ((stage->actor[i].is_thread ? stage->actor[i].tid : stage->actor[i].pid) == pid)
            return stage->actor[i].name;
    return "stranger";
}

/*
 * Only root can play scenes with several uids, and root of a user namespace only with those mapped into
 * it; the others say so on both sides.
 */
SCENE_API int can_switch_uid(void)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(setgid(1001) != 0 || setuid(1001) != 0);
    while (waitpid(pid, &status, 0) == -1)
        need(errno == EINTR, "waitpid");
    if (status == 0)
        return 1;
    say("there is no other uid to play with");
    return 0;
}

SCENE_API void become(uid_t uid)
{
    need(setgid(uid) == 0 && setuid(uid) == 0, "setuid");
}

/* ---- the theatre ---- */

SCENE_API int guard_seconds(void)
{
    const char *text = getenv("SCENE_GUARD_S");

    return text != NULL && atoi(text) > 0 ? atoi(text) : GUARD_S;
}

SCENE_API void play(const struct scene *scene, const sigset_t *mask)
{
    need(setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "setpgid");
    stage = (struct stage *)mmap(NULL, sizeof *stage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    need(stage != MAP_FAILED, "mmap");
    stage->main_pid = getpid();
    umask(022);
    sigprocmask(SIG_SETMASK, mask, NULL);
    if (scene->run != NULL)
        scene->run();
    else
        scene->run_with(scene->argument);
    _exit(0);
}

/* What the guard process waits for: the scene's end, or its own. */
SCENE_API void guarded_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

/* Runs one scene to its end, or for as long as the guard allows; says how it ended. */
SCENE_API void guard(const struct scene *scene, const sigset_t *mask)
{
    struct timespec limit = {guard_seconds(), 0};
    sigset_t awaited;
    int status = 0, number;
    pid_t pid;

    say("== %s", scene->name);
    pid = fork();
    need(pid != -1, "fork");
    if (pid == 0)
        play(scene, mask);
    setpgid(pid, pid);
    guarded_signals(&awaited);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        number = sigtimedwait(&awaited, NULL, &limit);
        if (number == SIGCHLD || (number == -1 && errno != EAGAIN))
            continue;
        kill(-pid, SIGKILL);
        waitpid(pid, &status, 0);
        if (number != -1)
            _exit(128 + number);
        say("-- HUNG");
        return;
    }
    kill(-pid, SIGKILL); /* actors that a scene left behind */
    if (WIFSIGNALED(status))
        say("-- killed by %s", signal_name(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0)
        say("-- exit %d", WEXITSTATUS(status));
}

/* Plays the scenes named in argv, or all; --list names them. */
SCENE_API int scene_main(int argc, char **argv, const struct scene *scenes, size_t total)
{
    sigset_t blocked, before;

    guarded_signals(&blocked);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < total; i++)
            say("%s", scenes[i].name);
        return 0;
    }
    for (size_t i = 0; i < total; i++) {
        int wanted = argc == 1;
        for (int k = 1; k < argc; k++)
            wanted |= strcmp(argv[k], scenes[i].name) == 0;
        if (wanted)
            guard(&scenes[i], &before);
    }
    return 0;
}

#define SCENES(...)                                                                                    \
    int main(int argc, char **argv)                                                                    \
    {                                                                                                  \
        static const struct scene scenes[] = {__VA_ARGS__};                                            \
        return scene_main(argc, argv, scenes, LENGTH(scenes));                                         \
    }

#endif
