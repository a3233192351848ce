/*
 * anywhere WHAT: a timer's signal every 20 to 100 microseconds, whose handler uses the very objects that
 * the main loop uses; for every way to install a handler. Nothing is lost, doubled or left locked.
 *     messages   sends and receives
 *     semaphores adds and takes, by turns with SEM_UNDO
 *     notify     registers for notification, and takes that back
 *     forks      makes a child that uses the objects, and waits for it
 *     jumps      leaves the call by siglongjmp
 */
#include "ground.h"
#include <setjmp.h>
#include <sys/sem.h>

enum { NUMBERS = 1 << 24, SEMS = 2, STORE = 500, DEPTH = 3 };
enum { INTENDED = 1, RETURNED = 2 };

union semun {
    int val;
    unsigned short *array;
};

static int queue, set;
static mqd_t mqd;
static unsigned next_number;
static unsigned char sent[NUMBERS], got[NUMBERS];
static volatile int depth, handled, jumping;
static sigjmp_buf back;
static void (*volatile in_handler)(void);
static void (*again)(void); /* what installs a handler that was reset */
static timer_t timer;
static sigset_t alarm_only;

struct number {
    long type;
    unsigned number;
};

static int stop_errno(void) { return errno == EAGAIN || errno == ENOMSG || errno == EINTR; }

static unsigned take_number(void)
{
    unsigned number = __atomic_fetch_add(&next_number, 1, __ATOMIC_SEQ_CST);

    NEED(number < NUMBERS, "too many messages");
    sent[number] = INTENDED;
    return number;
}

static void send_one(int flags)
{
    struct number message = {1 + (long)next_number % 3, take_number()};

    if (msgsnd(queue, &message, sizeof message.number, flags) == 0)
        sent[message.number] = RETURNED;
    else
        NEED(stop_errno(), "msgsnd");
    message.number = take_number();
    if (mq_send(mqd, (char *)&message.number, sizeof message.number, message.number % 3) == 0)
        sent[message.number] = RETURNED;
    else
        NEED(stop_errno(), "mq_send");
}

static void note(unsigned number)
{
    NEED(number < NUMBERS && sent[number], "message %u was never sent", number);
    NEED(__atomic_fetch_add(&got[number], 1, __ATOMIC_SEQ_CST) == 0, "message %u came twice", number);
}

static int receive_one(void)
{
    struct number message;
    unsigned number;
    int received = 0;

    if (msgrcv(queue, &message, sizeof message.number, 0, IPC_NOWAIT) == sizeof message.number)
        note(message.number), received = 1;
    else
        NEED(stop_errno(), "msgrcv");
    if (mq_receive(mqd, (char *)&number, sizeof number, NULL) == sizeof number)
        note(number), received = 1;
    else
        NEED(stop_errno(), "mq_receive");
    return received;
}

static void semops(void)
{
    static volatile unsigned turn;
    short undo = turn++ % 2 ? SEM_UNDO : 0;
    struct sembuf there[] = {{0, -1, undo}, {1, 1, undo}}, back_again[] = {{1, -1, undo}, {0, 1, undo}};

    while (semop(set, there, 2) == -1)
        NEED(errno == EINTR, "semop");
    while (semop(set, back_again, 2) == -1)
        NEED(errno == EINTR, "semop");
}

static void exchange_messages(void)
{
    send_one(IPC_NOWAIT);
    receive_one();
}

static void registers(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};

    if (mq_notify(mqd, &event) == -1)
        NEED(errno == EBUSY && mq_notify(mqd, NULL) == 0, "mq_notify");
    receive_one();
}

static void forks(void)
{
    static int turn;
    pid_t pid;

    if (turn++ % 16)
        return;
    NEED((pid = fork()) != -1, "fork");
    if (pid == 0) {
        struct sembuf op = {0, -1, SEM_UNDO};

        NEED(semop(set, &op, 1) == 0 && msgsnd(queue, &(struct number){9, NUMBERS}, sizeof(unsigned), 0) == 0, "a child");
        _exit(0);
    }
    reap_well(pid, "a child");
    NEED(msgrcv(queue, &(struct number){0, 0}, sizeof(unsigned), 9, 0) == sizeof(unsigned), "a child's message");
}

static void jumps(void)
{
    if (jumping)
        siglongjmp(back, 1);
}

/* ---- the handler, and ways to install it ---- */

/* Each time from another moment on. A handler that is reset must be there again before the next signal. */
static void set_timer(int on)
{
    static long step = 5;
    struct itimerspec often = {{0, 0}, {0, 0}};

    if (on) {
        often.it_value.tv_nsec = 20000 + (step = step * 7 % 83) * 1000;
        if (!again)
            often.it_interval = often.it_value;
    }
    NEED(timer_settime(timer, 0, &often, NULL) == 0, "timer_settime");
}

static void handle(int number)
{
    int saved = errno;

    (void)number;
    if (again) {
        again();
        set_timer(1);
    }
    handled++;
    if (depth < DEPTH) {
        depth++;
        if (in_handler == jumps)
            depth--;
        in_handler();
        depth--;
    }
    errno = saved;
}

static void handle_told(int number, siginfo_t *info, void *context)
{
    NEED(number == SIGALRM && info->si_signo == number && info->si_code == SI_TIMER && context, "siginfo: %d %d", info->si_signo,
         info->si_code);
    NEED(info->si_value.sival_int == 4711, "si_value is %d", info->si_value.sival_int);
    handle(number);
}

static void install(int flags)
{
    struct sigaction action = {.sa_flags = flags}, old;

    if (flags & SA_SIGINFO)
        action.sa_sigaction = handle_told;
    else
        action.sa_handler = handle;
    NEED(sigaction(SIGALRM, &action, NULL) == 0 && sigaction(SIGALRM, NULL, &old) == 0, "sigaction");
    NEED(old.sa_handler == action.sa_handler && (old.sa_flags & ~0x04000000) == flags, "the old action: flags %#x", old.sa_flags);
}

static void plainly(void) { install(0); }
static void restarting(void) { install(SA_RESTART); }
static void informed(void) { install(SA_SIGINFO); }
static void undeferred(void) { install(SA_NODEFER | SA_SIGINFO); }
static void on_stack(void) { install(SA_ONSTACK | SA_RESTART); }
static void resetting(void) { install(SA_RESETHAND | SA_NODEFER | SA_RESTART); }
static void by_signal(void) { NEED(signal(SIGALRM, handle) != SIG_ERR, "signal"); }
static void by_sysv_signal(void) { NEED(sysv_signal(SIGALRM, handle) != SIG_ERR, "sysv_signal"); }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void by_sigset(void) { NEED(sigset(SIGALRM, handle) != SIG_ERR, "sigset"); }
static void interrupting(void) { NEED(siginterrupt(SIGALRM, 1) == 0 && signal(SIGALRM, handle) != SIG_ERR && siginterrupt(SIGALRM, 0) == 0, "siginterrupt"); }
#pragma GCC diagnostic pop

static const struct {
    const char *name;
    void (*install)(void);
    int resets;
} ways[] = {
    {"sigaction", plainly, 0},      {"SA_RESTART", restarting, 0}, {"SA_SIGINFO", informed, 0},
    {"SA_NODEFER", undeferred, 0},  {"SA_ONSTACK", on_stack, 0},   {"SA_RESETHAND", resetting, 1},
    {"signal", by_signal, 0},       {"sysv_signal", by_sysv_signal, 1}, {"sigset", by_sigset, 0},
    {"siginterrupt", interrupting, 0},
};

static int64_t span_ms(void)
{
    const char *mode = getenv("MODE");

    return mode && strcmp(mode, "soak") == 0 ? 5000 : 30;
}

/* The main loop: the same calls, and some that wait. */
static void use_all(int64_t end)
{
    volatile int turn = 0;

    if (in_handler == jumps)
        sigsetjmp(back, 1);
    jumping = in_handler == jumps;
    /* On a busy machine the signals may be long in coming. */
    while (now_ms() < end || (handled <= 3 && now_ms() < end + 10000)) {
        exchange_messages();
        if (!jumping)
            semops();
        /* Seldom enough for the timer to expire in between, however fast the calls are. */
        if (turn++ % 1024 == 0)
            set_timer(1);
    }
    jumping = 0;
    NEED(sigprocmask(SIG_BLOCK, &alarm_only, NULL) == 0, "sigprocmask");
    set_timer(0);
}

static void check(const char *way)
{
    unsigned short values[SEMS];
    unsigned i, lost = 0;

    while (receive_one())
        ;
    errno = 0;
    for (i = 0; i < next_number; i++)
        lost += in_handler == jumps ? got[i] > 1 : sent[i] == RETURNED && !got[i];
    NEED(lost == 0, "%s: %u of %u messages are lost", way, lost, next_number);
    NEED(semctl(set, 0, GETALL, (union semun){.array = values}) == 0, "GETALL");
    NEED(values[0] == STORE && values[1] == 0, "%s: the semaphores are %d and %d", way, values[0], values[1]);
    NEED(handled > 3, "%s: only %d signals", way, handled);
    next_number = 0;
    memset(sent, 0, sizeof sent);
    memset(got, 0, sizeof got);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*act)(void);
    } acts[] = {{"messages", exchange_messages}, {"semaphores", semops}, {"notify", registers}, {"forks", forks}, {"jumps", jumps}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM, .sigev_value = {.sival_int = 4711}};
    struct mq_attr attr = {.mq_maxmsg = 8, .mq_msgsize = sizeof(unsigned)};
    stack_t stack = {.ss_sp = malloc(1 << 20), .ss_size = 1 << 20};
    size_t i;

    for (i = 0; argc > 1 && i < LENGTH(acts); i++)
        if (strcmp(acts[i].name, argv[1]) == 0)
            in_handler = acts[i].act;
    NEED(in_handler, "usage: anywhere messages|semaphores|notify|forks|jumps");
    queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    set = semget(IPC_PRIVATE, SEMS, IPC_CREAT | 0600);
    mqd = mq_open("/anywhere", O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attr);
    NEED(queue != -1 && mqd != (mqd_t)-1 && semctl(set, 0, SETVAL, (union semun){.val = STORE}) == 0, "the objects");
    NEED(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && sigaltstack(&stack, NULL) == 0, "the timer");
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    NEED(signal(SIGUSR2, SIG_IGN) != SIG_ERR, "signal");
    for (i = 0; i < LENGTH(ways); i++) {
        handled = depth = 0;
        again = ways[i].resets ? ways[i].install : NULL;
        ways[i].install();
        use_all(now_ms() + span_ms());
        NEED(signal(SIGALRM, SIG_IGN) != SIG_ERR && sigprocmask(SIG_UNBLOCK, &alarm_only, NULL) == 0, "signal");
        check(ways[i].name);
    }
    NEED(msgctl(queue, IPC_RMID, NULL) == 0 && semctl(set, 0, IPC_RMID) == 0 && mq_unlink("/anywhere") == 0, "IPC_RMID");
    return 0;
}
