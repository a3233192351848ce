/*
 * SIGSEGV and SIGBUS of the program's own: the library stands before both from the first use of a
 * namespace on, and nobody may notice. Each scene plays every life with both signals, in a program that
 * never uses the library, uses it before it sets its handler, and after.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include "scene.h"
#include <setjmp.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>

enum { READY };
enum when { NEVER, BEFORE, AFTER, WHENS };

static const char *const when_names[] = {"never", "before", "after"};
static enum when when;
static int the_signal;
static char *wall, *hole; /* no access at all; mapped behind a file's end */
static volatile int handled;
SCENE_API sigjmp_buf back;
static char *alternate_stack;

enum { ALTERNATE = 65536, PAGE = 4096 };

SCENE_API void use(void)
{
    int q = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

    need(q != -1 && msgctl(q, IPC_RMID, NULL) == 0, "a queue");
}

SCENE_API void install(void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | flags};

    action.sa_sigaction = handler;
    sigaddset(&action.sa_mask, SIGUSR2);
    if (when == BEFORE)
        use();
    need(sigaction(the_signal, &action, NULL) == 0, "sigaction");
    if (when == AFTER)
        use();
}

SCENE_API void set_simply(void (*handler)(int))
{
    if (when == BEFORE)
        use();
    need(signal(the_signal, handler) != SIG_ERR, "signal");
    if (when == AFTER)
        use();
}

SCENE_API void fault(void)
{
    volatile char *address = the_signal == SIGSEGV ? wall : hole;

    address[5] = 1;
}

SCENE_API void set_up(void)
{
    int file = memfd_create("hole", MFD_CLOEXEC);

    wall = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    hole = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    need(file != -1 && wall != MAP_FAILED && hole != MAP_FAILED, "mmap");
    close(file);
}

SCENE_API int on_alternate_stack(void)
{
    char here;

    return &here >= alternate_stack && &here < alternate_stack + ALTERNATE;
}

SCENE_API const char *code_name(const siginfo_t *info)
{
    switch (info->si_code) {
    case SI_USER: return "SI_USER";
    case SI_QUEUE: return "SI_QUEUE";
    case SI_TKILL: return "SI_TKILL";
    case SI_KERNEL: return "SI_KERNEL";
    default: break;
    }
    if (info->si_signo == SIGBUS)
        return info->si_code == BUS_ADRERR ? "BUS_ADRERR" : "BUS_?";
    return info->si_code == SEGV_MAPERR ? "SEGV_MAPERR" : info->si_code == SEGV_ACCERR ? "SEGV_ACCERR" : "SEGV_?";
}

SCENE_API const char *address_name(const siginfo_t *info)
{
    char *address = info->si_addr;

    if (info->si_code <= 0)
        return "-";
    return address == wall + 5 ? "wall + 5" : address == hole + 5 ? "hole + 5" : address == NULL ? "NULL" : "elsewhere";
}

SCENE_API void tell(int number, siginfo_t *info, void *context)
{
    sigset_t set;

    pthread_sigmask(SIG_BLOCK, NULL, &set);
    say("handler: %s %s at %s, alternate stack %d, blocked: itself %d USR2 %d USR1 %d, context %s", signal_name(number),
        code_name(info), address_name(info), on_alternate_stack(), sigismember(&set, number),
        sigismember(&set, SIGUSR2), sigismember(&set, SIGUSR1), context ? "given" : "NULL");
    handled++;
}

SCENE_API void simple_jump(int number)
{
    say("simple handler: %s", signal_name(number));
    handled++;
    siglongjmp(back, 1);
}

/* ---- how a life ends ---- */

SCENE_API pid_t begin(void (*body)(void))
{
    struct rlimit core = {64 << 20, 64 << 20};
    pid_t pid = fork();

    need(pid != -1, "fork");
    if (pid != 0)
        return pid;
    setrlimit(RLIMIT_CORE, &core);
    set_up();
    body();
    say("alive");
    _exit(0);
}

SCENE_API void end(pid_t pid)
{
    int status;

    need(waitpid(pid, &status, 0) == pid, "waitpid");
    if (WIFSIGNALED(status))
        say("killed by %s%s", signal_name(WTERMSIG(status)), WCOREDUMP(status) ? ", core dumped" : "");
    else
        say("exit %d", WEXITSTATUS(status));
}

SCENE_API void each_life(void (*live)(void (*)(void)), void (*body)(void))
{
    static const int signals[] = {SIGSEGV, SIGBUS};

    for (size_t i = 0; i < LENGTH(signals); i++)
        for (when = NEVER; when < WHENS; when++) {
            the_signal = signals[i];
            say("- %s, %s", signal_name(the_signal), when_names[when]);
            live(body);
        }
}

SCENE_API void live(void (*body)(void)) { end(begin(body)); }

/* One that is killed when it sleeps. */
SCENE_API void live_until_killed(void (*body)(void))
{
    pid_t pid;

    stage->counter[READY] = 0;
    pid = begin(body);
    await(READY, 1);
    while (!looks_asleep(pid, pid))
        ;
    kill(pid, the_signal);
    end(pid);
}

#endif
