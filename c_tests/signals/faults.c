/* Faults without a handler, ignored, blocked, taken otherwise; and what sigaction tells of them. */
#include "faults.h"
#include <spawn.h>
#include <sys/signalfd.h>

/* ---- no handler ---- */

static void just_fault(void) { set_simply(SIG_DFL), fault(); }
static void just_raise(void) { set_simply(SIG_DFL), raise(the_signal); }
static void just_abort(void) { set_simply(SIG_DFL), abort(); }
static void queue_itself(void)
{
    set_simply(SIG_DFL);
    sigqueue(getpid(), the_signal, (union sigval){.sival_int = 3});
}

static void no_handler(void)
{
    each_life(live, just_fault);
    each_life(live, just_raise);
    each_life(live, queue_itself);
    each_life(live, just_abort);
}

static void sleep_in_pause(void)
{
    set_simply(SIG_DFL);
    bump(READY);
    pause();
}

static void sleep_in_msgrcv(void)
{
    struct { long type; char text[8]; } message;
    int q = msgget(IPC_PRIVATE, 0600);

    set_simply(SIG_DFL);
    bump(READY);
    msgrcv(q, &message, sizeof message.text, 0, 0);
}

static void no_handler_killed(void)
{
    each_life(live_until_killed, sleep_in_pause);
    each_life(live_until_killed, sleep_in_msgrcv);
}

static void fault_blocked(void)
{
    sigset_t set;

    sigfillset(&set);
    set_simply(SIG_DFL);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fault();
}

static void blocked(void) { each_life(live, fault_blocked); }

static void raised_blocked(void)
{
    struct timespec none = {0, 0};
    siginfo_t info;
    sigset_t set;

    set_simply(SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, the_signal);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), the_signal);
    sigpending(&set);
    say("pending %d", sigismember(&set, the_signal));
    need(sigtimedwait(&set, &info, &none) == the_signal, "sigtimedwait");
    say("taken: %s", code_name(&info));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void by_descriptor(void)
{
    struct signalfd_siginfo info;
    sigset_t set;
    int fd;

    set_simply(SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, the_signal);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC);
    sigqueue(getpid(), the_signal, (union sigval){.sival_int = 77});
    need(read(fd, &info, sizeof info) == sizeof info, "signalfd");
    say("read %s, value %d", signal_name((int)info.ssi_signo), info.ssi_int);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void taken_otherwise(void)
{
    each_life(live, raised_blocked);
    each_life(live, by_descriptor);
}

/* ---- ignored ---- */

static void ignore_and_fault(void) { set_simply(SIG_IGN), fault(); }
static void ignore_and_raise(void) { set_simply(SIG_IGN), raise(the_signal); }

static void ignored(void)
{
    each_life(live, ignore_and_fault);
    each_life(live, ignore_and_raise);
}

static void read_one(void)
{
    int ends[2];
    char byte;

    set_simply(SIG_IGN);
    need(pipe(ends) == 0, "pipe");
    if (fork() == 0) {
        sleep_ms(100);
        _exit(write(ends[1], "x", 1) != 1);
    }
    bump(READY);
    say("read %s", result(read(ends[0], &byte, 1)));
}

static void ignored_while_asleep(void) { each_life(live_until_killed, read_one); }

/* The new program says what it was given. */
static void say_inherited(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS};
    struct sigaction action;

    for (size_t i = 0; i < LENGTH(signals); i++) {
        need(sigaction(signals[i], NULL, &action) == 0, "sigaction");
        say("%s %s", signal_name(signals[i]), action.sa_handler == SIG_IGN   ? "ignored"
                                              : action.sa_handler == SIG_DFL ? "default"
                                                                             : "handled");
    }
}

static void exec_self(void)
{
    execl("/proc/self/exe", "faults", "--inherited", NULL);
    need(0, "exec");
}

static void ignore_and_exec(void) { set_simply(SIG_IGN), exec_self(); }
static void handle_and_exec(void) { install(tell, 0), exec_self(); }

/* An exec that fails changes nothing. */
static void ignore_and_fail_to_exec(void)
{
    char *argv[] = {NULL, NULL};

    set_simply(SIG_IGN);
    say("execv %s", result(execv("/nonexistent", argv)));
    say_inherited();
    raise(the_signal);
    say("still ignored");
    fault();
}

static void ignore_and_vfork(void)
{
    pid_t pid;

    set_simply(SIG_IGN);
    pid = vfork();
    if (pid == 0) {
        execl("/proc/self/exe", "faults", "--inherited", NULL);
        _exit(1);
    }
    end(pid);
    raise(the_signal);
}

static void through_exec(void)
{
    each_life(live, ignore_and_exec);
    each_life(live, handle_and_exec);
    each_life(live, ignore_and_fail_to_exec);
    each_life(live, ignore_and_vfork);
}

static void spawn_one(void)
{
    char *argv[] = {(char *)"faults", (char *)"--inherited", NULL};
    pid_t pid;

    set_simply(SIG_IGN);
    need(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ) == 0, "posix_spawn");
    end(pid);
}

static void through_posix_spawn(void) { each_life(live, spawn_one); }

/* ---- what sigaction tells ---- */

static void say_action(const char *what)
{
    struct sigaction action;

    memset(&action, 0xff, sizeof action);
    need(sigaction(the_signal, NULL, &action) == 0, "sigaction");
    say("%s: %s, flags %#x, mask USR1 %d USR2 %d itself %d", what,
        action.sa_handler == SIG_DFL   ? "default"
        : action.sa_handler == SIG_IGN ? "ignored"
        : action.sa_sigaction == tell  ? "tell"
                                       : "other",
        (unsigned)action.sa_flags, sigismember(&action.sa_mask, SIGUSR1), sigismember(&action.sa_mask, SIGUSR2),
        sigismember(&action.sa_mask, the_signal));
}

static void old_actions(void)
{
    static const int flags[] = {0, SA_RESTART, SA_NODEFER, SA_ONSTACK, SA_RESETHAND | SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN, .sa_flags = SA_RESTART};

    if (when == BEFORE)
        use();
    say_action("at first");
    when = when == BEFORE ? NEVER : when;
    for (size_t i = 0; i < LENGTH(flags); i++) {
        install(tell, flags[i]);
        say_action("set");
    }
    say("signal: %d", (void *)signal(the_signal, SIG_IGN) == (void *)tell);
    say_action("ignored");
    say("signal: %d", signal(the_signal, SIG_DFL) == SIG_IGN);
    say_action("default");
    sigaction(the_signal, &ignore, NULL);
    say_action("ignored with a flag");
    install(tell, SA_RESETHAND);
    raise(the_signal);
    say_action("after its reset");
}

static void told(void) { each_life(live, old_actions); }

/* A bad address of the program's is no signal, whatever the program has set. */
static void bad_address(void)
{
    static void (*const actions[])(int) = {SIG_DFL, SIG_IGN, simple_jump};
    int q = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

    for (size_t i = 0; i < LENGTH(actions); i++) {
        set_simply(actions[i]);
        say("msgsnd %s", result(msgsnd(q, wall, 1, IPC_NOWAIT)));
        say("IPC_STAT %s", result(msgctl(q, IPC_STAT, (struct msqid_ds *)wall)));
    }
    say("%d handled", handled);
    need(msgctl(q, IPC_RMID, NULL) == 0, "IPC_RMID");
}

static void bad_addresses(void) { each_life(live, bad_address); }

int main(int argc, char **argv)
{
    static const struct scene scenes[] = {
        SCENE(no_handler),    SCENE(no_handler_killed), SCENE(blocked),        SCENE(taken_otherwise),
        SCENE(ignored),       SCENE(ignored_while_asleep), SCENE(through_exec), SCENE(through_posix_spawn),
        SCENE(told),          SCENE(bad_addresses),
    };

    if (argc == 2 && strcmp(argv[1], "--inherited") == 0) {
        say_inherited();
        return 0;
    }
    return scene_main(argc, argv, scenes, LENGTH(scenes));
}
