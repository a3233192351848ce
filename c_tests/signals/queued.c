/*
 * queued HOW: signals of SIGRTMIN are queued with a number each while the program is inside and between
 * its calls. Each comes exactly once, in order, with its siginfo as it was sent.
 *     handler    they are handled
 *     masks      and blocked and let in round every call
 *     replaced   by handlers that the program replaces all the time, and each time is told which it had set
 *     taken      blocked, they are taken by sigtimedwait in one thread and a signalfd in another
 */
#include "ground.h"
#include <pthread.h>
#include <sys/sem.h>
#include <sys/signalfd.h>

static int queue, set;
static mqd_t mqd;
static int total, *acknowledged;
static volatile int last, by_first, by_second, counted[2];
static unsigned char *seen;
static pid_t sender_pid;

static int numbers(void)
{
    const char *mode = getenv("MODE");

    return mode && strcmp(mode, "soak") == 0 ? 500000 : 20000;
}

/* Keeps some in the queue, but not so many that the limit is met (RLIMIT_SIGPENDING). */
static int sender(void *argument)
{
    pid_t target = *(pid_t *)argument;
    int i;

    for (i = 1; i <= total; i++) {
        while (i - __atomic_load_n(acknowledged, __ATOMIC_SEQ_CST) > 64)
            usleep(20);
        while (sigqueue(target, SIGRTMIN, (union sigval){.sival_int = i}) == -1)
            NEED(errno == EAGAIN, "sigqueue");
        if (i % 8 == 0)
            usleep(30);
    }
    return 0;
}

static void take(const siginfo_t *info)
{
    int number = info->si_value.sival_int;

    NEED(info->si_signo == SIGRTMIN && info->si_code == SI_QUEUE && info->si_pid == sender_pid && info->si_uid == getuid(),
         "siginfo: signal %d, code %d, pid %d", info->si_signo, info->si_code, (int)info->si_pid);
    NEED(number == last + 1, "%d after %d", number, last);
    last = number;
    __atomic_add_fetch(acknowledged, 1, __ATOMIC_SEQ_CST);
}

static void use_all(void)
{
    struct { long type; char text[16]; } message = {1, "text"};
    struct sembuf ops[] = {{0, 1, SEM_UNDO}, {0, -1, SEM_UNDO}};
    struct timespec soon = {0, 100000};

    NEED(msgsnd(queue, &message, 4, 0) == 0 && msgrcv(queue, &message, 16, 0, IPC_NOWAIT) == 4, "a message");
    NEED(mq_send(mqd, message.text, 4, 0) == 0 && mq_receive(mqd, message.text, 16, NULL) == 4, "a POSIX message");
    NEED(semop(set, ops, 1) == 0 && semop(set, ops + 1, 1) == 0, "semop");
    /* One that waits. */
    ops[1].sem_flg = 0;
    if (last % 16 == 0)
        NEED(semtimedop(set, ops + 1, 1, &soon) == -1 && (errno == EAGAIN || errno == EINTR), "semtimedop");
}

static void install(void (*handler)(int, siginfo_t *, void *), int flags, struct sigaction *old)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | flags};

    action.sa_sigaction = handler;
    NEED(sigaction(SIGRTMIN, &action, old) == 0, "sigaction");
}

static void first(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    by_first++;
    take(info);
}

static void second(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    by_second++;
    take(info);
}

static void handled(void)
{
    while (last < total)
        use_all();
}

static void masked(void)
{
    sigset_t rt, none;

    sigemptyset(&none);
    sigemptyset(&rt);
    sigaddset(&rt, SIGRTMIN);
    while (last < total) {
        int before;

        NEED(pthread_sigmask(SIG_BLOCK, &rt, NULL) == 0, "pthread_sigmask");
        before = last;
        use_all();
        NEED(last == before, "a blocked signal was handled");
        NEED(pthread_sigmask(SIG_UNBLOCK, &rt, NULL) == 0, "pthread_sigmask");
        use_all();
    }
}

static void replaced(void)
{
    struct sigaction old;
    int turn;

    for (turn = 0; last < total; turn++) {
        void (*set_before)(int, siginfo_t *, void *) = turn % 2 ? second : first;

        install(turn % 2 ? first : second, turn % 3 ? SA_RESTART : 0, &old);
        NEED(old.sa_sigaction == set_before, "another handler had been set");
        use_all();
    }
    NEED(by_first > 10 && by_second > 10, "%d and %d", by_first, by_second);
}

/* Two threads take them by turns, so only the number of each is looked at. */
static void count(int taker, int number)
{
    NEED(number >= 1 && number <= total && __atomic_exchange_n(&seen[number], 1, __ATOMIC_SEQ_CST) == 0, "%d again", number);
    __atomic_add_fetch(&counted[taker], 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(acknowledged, 1, __ATOMIC_SEQ_CST);
}

static void *take_by_wait(void *rt)
{
    struct timespec tenth = {0, 100000000};
    siginfo_t info;

    while (counted[0] + counted[1] < total)
        if (sigtimedwait(rt, &info, &tenth) == SIGRTMIN)
            count(0, info.si_value.sival_int);
    return NULL;
}

static void *take_by_descriptor(void *rt)
{
    struct signalfd_siginfo info;
    int fd = signalfd(-1, rt, SFD_NONBLOCK | SFD_CLOEXEC);

    while (counted[0] + counted[1] < total)
        if (read(fd, &info, sizeof info) == sizeof info)
            count(1, info.ssi_int);
        else
            usleep(100);
    return NULL;
}

static void taken(void)
{
    pthread_t thread[2];
    sigset_t rt;

    sigemptyset(&rt);
    sigaddset(&rt, SIGRTMIN);
    NEED(pthread_create(&thread[0], NULL, take_by_wait, &rt) == 0, "pthread_create");
    NEED(pthread_create(&thread[1], NULL, take_by_descriptor, &rt) == 0, "pthread_create");
    while (counted[0] + counted[1] < total)
        use_all();
    pthread_join(thread[0], NULL);
    pthread_join(thread[1], NULL);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {{"handler", handled}, {"masks", masked}, {"replaced", replaced}, {"taken", taken}};
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 16};
    pid_t me = getpid();
    sigset_t rt;
    size_t i;

    total = numbers();
    acknowledged = shared_memory(4096);
    seen = calloc(1, (size_t)total + 1);
    queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    set = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
    mqd = mq_open("/queued", O_CREAT | O_RDWR, 0600, &attr);
    NEED(argc == 2 && queue != -1 && set != -1 && mqd != (mqd_t)-1, "the objects");
    install(first, SA_RESTART, NULL);
    sigemptyset(&rt);
    sigaddset(&rt, SIGRTMIN);
    NEED(sigprocmask(SIG_BLOCK, &rt, NULL) == 0, "sigprocmask");
    sender_pid = start(sender, &me);
    if (strcmp(argv[1], "taken") != 0)
        NEED(sigprocmask(SIG_UNBLOCK, &rt, NULL) == 0, "sigprocmask");
    for (i = 0; i < LENGTH(modes); i++)
        if (strcmp(argv[1], modes[i].name) == 0)
            modes[i].run();
    reap_well(sender_pid, "the sender");
    NEED(*acknowledged == total, "%d of %d", *acknowledged, total);
    NEED(msgctl(queue, IPC_RMID, NULL) == 0 && semctl(set, 0, IPC_RMID) == 0 && mq_unlink("/queued") == 0, "IPC_RMID");
    return 0;
}
