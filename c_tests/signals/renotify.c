/*
 * renotify WHAT OTHERS: mq_notify with a signal, registered anew time after time, mostly in the signal's
 * handler. OTHERS is the mode of the queue's other users: with 0 the sender may signal the registrant himself,
 * with 66 he leaves it to a thread of the registrant's. Each registration that fires is told of once, in order.
 *     busy     the handler meets malloc, free and fork, and starts no thread
 *     steady   neither threads nor memory grow, and no thread is left when the queue is closed
 *     ahead    registered, fired and registered again before anybody has looked
 *     taken    what is taken back is not told of
 *     child    a child made by fork registers with the same descriptor
 *     refused  no thread can be started, or it is fired and registered anew before the thread has begun
 */
#include "ground.h"
#include <dlfcn.h>
#include <pthread.h>

enum { NOTIFICATIONS = 20000, ROUNDS = 1000 };

static mqd_t mqd;
static volatile int told; /* notifications so far, and the value of the next */
static volatile int in_handler, started_in_handler;
static int turns[2]; /* a pipe with a byte in it while the sender may send */
/* Volatile, since mq_notify is declared to call nothing of the program. */
static volatile int refusing;
static void (*volatile before_start)(void);
static int (*next_pthread_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* In front of libc's, also for the library. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument)
{
    if (in_handler)
        started_in_handler++;
    if (before_start) {
        void (*act)(void) = before_start;

        before_start = NULL;
        act();
    }
    if (refusing)
        return EAGAIN;
    return next_pthread_create(thread, attributes, body, argument);
}

static int try_to_ask(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value = {.sival_int = told}};

    return mq_notify(mqd, &event);
}

static void ask(void) { NEED(try_to_ask() == 0, "mq_notify after %d", told); }

static void open_queue(int flags, mode_t mode)
{
    NEED((mqd = small_queue("/renotify", O_RDWR | O_NONBLOCK | flags, mode)) != (mqd_t)-1, "mq_open");
}

static void drain(void)
{
    char text[TEXT_BYTES];

    while (mq_receive(mqd, text, sizeof text, NULL) != -1)
        ;
    NEED(errno == EAGAIN, "mq_receive");
}

static void send_one(void) { NEED(mq_send(mqd, "x", 1, 0) == 0, "mq_send"); }

static void check(const siginfo_t *info)
{
    NEED(info->si_code == SI_MESGQ && info->si_value.sival_int == told, "told of %d, not of %d; code %d",
         info->si_value.sival_int, told, info->si_code);
    told++;
}

/* As in the books: registers anew, then empties the queue. */
static void handle(int number, siginfo_t *info, void *context)
{
    int saved = errno;

    (void)number, (void)context;
    in_handler = 1;
    check(info);
    ask();
    drain();
    NEED(write(turns[1], "", 1) == 1, "write");
    in_handler = 0;
    errno = saved;
}

static void await_turn(void)
{
    char byte;
    ssize_t length;

    do
        length = read(turns[0], &byte, 1);
    while (length == -1 && errno == EINTR);
    NEED(length == 1, "read");
}

/* The first registration is the main program's. */
static void begin(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};

    action.sa_sigaction = handle;
    NEED(sigaction(SIGRTMIN, &action, NULL) == 0 && pipe(turns) == 0, "sigaction and pipe");
    ask();
    NEED(write(turns[1], "", 1) == 1, "write");
}

static int send_all(void *unused)
{
    int i;

    (void)unused;
    for (i = 0; i < NOTIFICATIONS; i++) {
        await_turn();
        send_one();
    }
    return 0;
}

static int busy(void)
{
    void *kept[64] = {0};
    unsigned turn = 0, random = 1;
    pid_t sender;

    begin();
    sender = start(send_all, NULL);
    for (; told < NOTIFICATIONS; turn++) {
        random = random * 1103515245 + 12345;
        free(kept[turn % LENGTH(kept)]);
        kept[turn % LENGTH(kept)] = malloc(random >> 8 & (random & 1 ? 0x7f : 0x3ffff));
        if (turn % 4096 == 0) {
            pid_t child = fork_bound();

            if (child == 0)
                _exit(0);
            reap_well(child, "a child");
        }
    }
    reap_well(sender, "the sender");
    NEED(started_in_handler == 0, "%d threads were started in the handler", started_in_handler);
    return 0;
}

static int threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int count = -2;

    NEED(tasks, "/proc/self/task");
    while (readdir(tasks))
        count++;
    closedir(tasks);
    return count;
}

/* Threads that are about to end do so soon. */
static void need_threads(int wanted)
{
    int64_t end = now_ms() + 60000;

    while (threads() != wanted) {
        NEED(now_ms() < end, "%d threads, not %d", threads(), wanted);
        sleep_ms(1);
    }
}

static long memory_pages(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long pages;

    NEED(file && fscanf(file, "%ld", &pages) == 1, "/proc/self/statm");
    fclose(file);
    return pages;
}

static void rounds(int count)
{
    for (; count > 0; count--) {
        await_turn();
        send_one();
    }
    await_turn();
    NEED(write(turns[1], "", 1) == 1, "write");
}

static int steady(void)
{
    long pages;
    int i, some;

    begin();
    rounds(10);
    some = threads();
    NEED(some <= 2, "%d threads", some);
    pages = memory_pages();
    for (i = 0; i < 10; i++) {
        rounds(ROUNDS / 10);
        need_threads(some);
    }
    NEED(memory_pages() < pages + ROUNDS / 2, "%ld pages have become %ld", pages, memory_pages());
    NEED(mq_close(mqd) == 0, "mq_close");
    need_threads(1);
    for (i = 0; i < ROUNDS / 10; i++) {
        open_queue(0, 0);
        ask();
        if (i % 2)
            rounds(1);
        NEED(mq_close(mqd) == 0, "mq_close");
    }
    need_threads(1);
    return 0;
}

static int signal_taken(long wait_ms, siginfo_t *info)
{
    struct timespec time = {wait_ms / 1000, wait_ms % 1000 * 1000000};
    sigset_t set;
    int taken;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    do
        taken = sigtimedwait(&set, info, &time);
    while (taken == -1 && errno == EINTR);
    return taken != -1;
}

/* So many signals, and no more. */
static void take_signals(int count)
{
    siginfo_t info;

    for (told = 0; told < count;) {
        NEED(signal_taken(60000, &info), "no signal");
        check(&info);
    }
    NEED(!signal_taken(50, &info), "a signal too many: %d", info.si_value.sival_int);
}

static void block(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    NEED(sigprocmask(SIG_BLOCK, &set, NULL) == 0, "sigprocmask");
}

static void fire(void)
{
    send_one();
    drain();
}

static int ahead(void)
{
    int i;

    block();
    for (i = 0; i < ROUNDS; i++) {
        told = i;
        ask();
        fire();
    }
    take_signals(ROUNDS);
    return 0;
}

static int taken(void)
{
    mqd_t other = mq_open("/renotify", O_RDWR | O_NONBLOCK);
    int i;

    NEED(other != (mqd_t)-1, "mq_open");
    block();
    for (i = 0; i < ROUNDS / 2; i++) {
        told = ROUNDS + i;
        ask();
        NEED(mq_notify(i % 3 ? mqd : other, NULL) == 0, "taking back");
        fire();
        told = i;
        ask();
        fire();
        NEED(mq_notify(mqd, NULL) == 0, "taking back what is over");
    }
    take_signals(ROUNDS / 2);
    return 0;
}

static int registers_too(void *argument)
{
    int some = *(int *)argument;

    NEED(close(turns[0]) == 0 && close(turns[1]) == 0, "close");
    told = 0;
    begin();
    need_threads(some);
    rounds(100);
    need_threads(some);
    NEED(started_in_handler == 0, "%d threads were started in the handler", started_in_handler);
    NEED(mq_close(mqd) == 0, "mq_close");
    need_threads(1);
    return 0;
}

static int child(void)
{
    int i, some;

    begin();
    for (i = 0; i < 10; i++) {
        rounds(10);
        some = threads();
        NEED(mq_notify(mqd, NULL) == 0, "taking back");
        reap_well(start(registers_too, &some), "a child");
        need_threads(some);
        ask();
    }
    rounds(10);
    NEED(mq_close(mqd) == 0, "mq_close");
    need_threads(1);
    return 0;
}

static void meanwhile(void)
{
    fire();
    told = 1;
    ask();
}

static int refused(void)
{
    siginfo_t info;
    int i, twice;

    block();
    for (i = 0; i < 16; i++) {
        told = 0;
        twice = i & 2;
        refusing = i & 1;
        before_start = twice ? meanwhile : NULL;
        if (try_to_ask() == -1) {
            NEED(refusing && errno == ENOMEM, "mq_notify");
            while (signal_taken(20, &info))
                ;
            told = refusing = twice = 0;
            ask();
        }
        refusing = 0;
        /* The kernel starts no thread. */
        if (before_start)
            meanwhile();
        before_start = NULL;
        fire();
        take_signals(twice ? 2 : 1);
        NEED(mq_close(mqd) == 0, "mq_close");
        need_threads(1);
        open_queue(0, 0);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {{"busy", busy}, {"steady", steady}, {"ahead", ahead}, {"taken", taken}, {"child", child}, {"refused", refused}};

    NEED(argc == 3, "usage: renotify busy|steady|ahead|taken|child|refused 0|66");
    *(void **)&next_pthread_create = dlsym(RTLD_NEXT, "pthread_create");
    NEED(next_pthread_create, "dlsym");
    umask(0);
    open_queue(O_EXCL, 0600 | (mode_t)strtol(argv[2], NULL, 8));
    return run_mode(modes, LENGTH(modes), argv[1]);
}
