/* Handlers of faults that recover, mend, give up; on the alternate stack when the stack has ended; in children. */
#include "faults.h"

static void set_alternate_stack(void)
{
    stack_t stack = {.ss_size = ALTERNATE};

    alternate_stack = mmap(NULL, ALTERNATE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(alternate_stack != MAP_FAILED, "mmap");
    stack.ss_sp = alternate_stack;
    need(sigaltstack(&stack, NULL) == 0, "sigaltstack");
}

static void tell_and_jump(int number, siginfo_t *info, void *context)
{
    tell(number, info, context);
    siglongjmp(back, 1);
}

static void tell_and_leave(int number, siginfo_t *info, void *context)
{
    tell(number, info, context);
    _exit(7);
}

/* Makes the access good, and returns to it. */
static void tell_and_mend(int number, siginfo_t *info, void *context)
{
    char *page = number == SIGSEGV ? wall : hole;

    tell(number, info, context);
    mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* As crash reporters do: what would have been is to be. */
static void tell_and_give_up(int number, siginfo_t *info, void *context)
{
    tell(number, info, context);
    signal(number, SIG_DFL);
    if (info->si_code <= 0)
        raise(number);
}

/* ---- handlers ---- */

static void recover(void)
{
    install(tell_and_jump, 0);
    if (sigsetjmp(back, 1) == 0 || handled < 3)
        fault();
    if (handled == 3)
        raise(the_signal);
}

static void recover_unmasked(void)
{
    install(tell_and_jump, SA_NODEFER);
    if (sigsetjmp(back, 0) == 0 || handled < 3)
        fault();
}

static void mend(void)
{
    install(tell_and_mend, SA_RESTART);
    fault();
    say("mended: %d", (the_signal == SIGSEGV ? wall : hole)[5]);
}

static void once_and_mend(void)
{
    install(tell_and_mend, SA_RESETHAND);
    fault();
    say("mended");
    set_up();
    fault();
}

static void once_and_return(void) { install(tell, SA_RESETHAND), fault(); }
static void give_up(void) { install(tell_and_give_up, 0), fault(); }
static void give_up_raised(void) { install(tell_and_give_up, 0), raise(the_signal); }

static void handlers(void)
{
    each_life(live, recover);
    each_life(live, recover_unmasked);
    each_life(live, mend);
    each_life(live, once_and_mend);
    each_life(live, once_and_return);
    each_life(live, give_up);
    each_life(live, give_up_raised);
}

static void fault_again(int number, siginfo_t *info, void *context)
{
    tell(number, info, context);
    if (handled < 3)
        fault();
    _exit(7);
}

static void nested(void) { install(fault_again, 0), fault(); }
static void nested_unmasked(void) { install(fault_again, SA_NODEFER), fault(); }

static void faults_in_handlers(void)
{
    each_life(live, nested);
    each_life(live, nested_unmasked);
}

static void by_signal(void)
{
    set_simply(simple_jump);
    if (sigsetjmp(back, 1) == 0 || handled < 2)
        fault();
}

static void by_sigset(void)
{
    set_simply(SIG_DFL);
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wdeprecated-declarations\"");
    say("sigset: default before %d", sigset(the_signal, simple_jump) == SIG_DFL);
    _Pragma("GCC diagnostic pop");
    if (sigsetjmp(back, 1) == 0)
        fault();
}

static void by_sysv_signal(void)
{
    set_simply(SIG_DFL);
    say("sysv_signal: default before %d", sysv_signal(the_signal, simple_jump) == SIG_DFL);
    if (sigsetjmp(back, 1) == 0 || handled < 2)
        fault();
}

static void other_ways(void)
{
    each_life(live, by_signal);
    each_life(live, by_sigset);
    each_life(live, by_sysv_signal);
}

/* ---- the stack's end ---- */

__attribute__((noinline)) static int deeper(volatile int depth)
{
    volatile char room[4096];

    room[0] = (char)depth;
    return depth < 0 ? 0 : deeper(depth + 1) + room[0];
}

static void overflow(void)
{
    struct rlimit limit = {1 << 20, 1 << 20};

    setrlimit(RLIMIT_STACK, &limit);
    deeper(0);
}

static void overflow_default(void) { set_simply(SIG_DFL), overflow(); }
static void overflow_default_stack(void) { set_alternate_stack(), set_simply(SIG_DFL), overflow(); }
static void overflow_no_stack(void) { install(tell_and_leave, SA_ONSTACK), overflow(); }
static void overflow_not_on_it(void) { set_alternate_stack(), install(tell_and_leave, 0), overflow(); }
static void overflow_leave(void) { set_alternate_stack(), install(tell_and_leave, SA_ONSTACK), overflow(); }
static void overflow_give_up(void) { set_alternate_stack(), install(tell_and_give_up, SA_ONSTACK), overflow(); }
static void overflow_recover(void)
{
    set_alternate_stack();
    install(tell_and_jump, SA_ONSTACK);
    if (sigsetjmp(back, 1) == 0 || handled < 3)
        overflow();
}

/* The least stack that the system calls enough for a handler. */
static void overflow_least(void)
{
    stack_t stack = {.ss_size = (size_t)sysconf(_SC_SIGSTKSZ)};

    alternate_stack = stack.ss_sp = malloc(stack.ss_size);
    need(sigaltstack(&stack, NULL) == 0, "sigaltstack");
    install(tell_and_jump, SA_ONSTACK | SA_RESETHAND);
    if (sigsetjmp(back, 1) == 0)
        overflow();
}

static void stack_overflow(void)
{
    void (*const bodies[])(void) = {overflow_default, overflow_default_stack, overflow_no_stack, overflow_not_on_it,
                                    overflow_leave,   overflow_give_up,       overflow_recover,  overflow_least};

    for (size_t i = 0; i < LENGTH(bodies); i++)
        each_life(live, bodies[i]);
}

static void *in_thread(void *unused)
{
    set_alternate_stack();
    if (sigsetjmp(back, 1) == 0 || handled < 2)
        deeper(0);
    return unused;
}

static void overflow_in_thread(void)
{
    pthread_attr_t attr;
    pthread_t thread;

    install(tell_and_jump, SA_ONSTACK);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 256 << 10);
    need(pthread_create(&thread, &attr, in_thread, NULL) == 0 && pthread_join(thread, NULL) == 0, "thread");
}

static void threads_stack_overflow(void) { each_life(live, overflow_in_thread); }

/* ---- children ---- */

static void fork_recovers(void)
{
    pid_t pid;

    install(tell_and_jump, 0);
    pid = fork();
    if (sigsetjmp(back, 1) == 0)
        fault();
    if (pid == 0)
        _exit(5);
    end(pid);
}

/* What a vfork child does to its own actions is nothing to its parent, though they share their memory. */
static void vfork_resets(void)
{
    pid_t pid;

    install(tell_and_jump, 0);
    pid = vfork();
    if (pid == 0) {
        signal(the_signal, SIG_DFL);
        _exit(5);
    }
    end(pid);
    if (sigsetjmp(back, 1) == 0)
        fault();
}

static void vfork_resets_another(void)
{
    struct sigaction action;
    pid_t pid;

    install(tell_and_jump, 0);
    action.sa_sigaction = tell;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    need(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
    pid = vfork();
    if (pid == 0) {
        signal(SIGUSR1, SIG_IGN);
        sysv_signal(SIGUSR1, simple_jump);
        _exit(5);
    }
    end(pid);
    raise(SIGUSR1);
}

static void children(void)
{
    each_life(live, fork_recovers);
    each_life(live, vfork_resets);
    each_life(live, vfork_resets_another);
}

SCENES(SCENE(handlers), SCENE(faults_in_handlers), SCENE(other_ways), SCENE(stack_overflow),
       SCENE(threads_stack_overflow), SCENE(children))
