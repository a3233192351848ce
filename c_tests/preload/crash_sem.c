/*
 * crash_sem MODE: processes that use one set of semaphores are killed with SIGKILL at random moments,
 * and stopped and continued.
 *     mutex, mutex3    a lock held with SEM_UNDO, of one semaphore, or of three in one array: never two
 *                      are inside, nobody waits long for the dead, and in the end all is as at the start
 *     transfer         arrays that move units from semaphore to semaphore: every GETALL has the same sum
 *     transfer-undo    the same with SEM_UNDO: what the dead have moved is moved back
 *     count            producers and consumers: what was made is what was taken and what is left
 */
#include "ground.h"
#include <sys/sem.h>

enum { WORKERS = 5, SEMS = 3, UNITS = 4, UNDO_UNITS = 2000, OWN_MOST = 50, WAIT_MS = 1000 };

union semun {
    int val;
    unsigned short *array;
};

struct worker_state {
    int life;   /* which of the processes that come one after another in this place */
    int doomed; /* lives up to this one have been or are being killed */
    unsigned begun, returned;
};

struct shared {
    int stop;
    unsigned holder; /* 1 + 256 * life + place */
    unsigned long entered;
    char wrong[200];
    struct worker_state worker[WORKERS];
};

static struct shared *shared;
static const char *mode;
static int set, place;
static unsigned seed;

static int is_mode(const char *name) { return strcmp(mode, name) == 0; }

static int kills(void)
{
    const char *wanted = getenv("MODE");

    return wanted && strcmp(wanted, "soak") == 0 ? 5000 : 200;
}

static unsigned random_below(unsigned n)
{
    seed = seed * 1103515245U + 12345U;
    return (seed >> 8) % n;
}

__attribute__((format(printf, 1, 2), noreturn)) static void blame(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(shared->wrong, sizeof shared->wrong, format, arguments);
    va_end(arguments);
    _exit(124);
}

static int stopping(void) { return __atomic_load_n(&shared->stop, __ATOMIC_SEQ_CST); }

static int value_of(int sem) { return semctl(set, sem, GETVAL); }

static void set_all(unsigned short value)
{
    unsigned short values[SEMS] = {value, value, value};

    NEED(semctl(set, 0, SETALL, (union semun){.array = values}) == 0, "SETALL");
}

/* Does operations, waiting up to `ms`: 1 when they were done, 0 when not in time. */
static int operate(struct sembuf *ops, size_t count, long ms)
{
    struct timespec timeout = {ms / 1000, ms % 1000 * 1000000};
    int result = semtimedop(set, ops, count, &timeout);

    if (result == -1 && errno != EAGAIN && errno != EINTR)
        blame("semtimedop gives %s", errno_name(errno));
    return result == 0;
}

static void linger(void)
{
    unsigned i, n = random_below(300);

    for (i = 0; i < n; i++)
        __asm__ volatile("" ::: "memory");
    if (random_below(50) == 0)
        sleep_ms(1);
}

/* One turn in the lock; its semaphores in an order that differs from turn to turn. */
static void use_mutex(void)
{
    unsigned i, first = random_below(SEMS), me = 1 + 256U * (unsigned)shared->worker[place].life + (unsigned)place, before;
    size_t count = is_mode("mutex3") ? SEMS : 1;
    struct sembuf lock[SEMS], unlock[SEMS];

    for (i = 0; i < SEMS; i++) {
        unsigned short sem = count == 1 ? 0 : (unsigned short)((first + i) % SEMS);

        lock[i] = (struct sembuf){sem, -1, SEM_UNDO};
        unlock[i] = (struct sembuf){sem, 1, SEM_UNDO};
    }
    if (!operate(lock, count, WAIT_MS)) {
        if (errno == EINTR)
            return;
        blame("a lock that nobody holds for long was not to be had in %d ms: value %d, last used by %d", WAIT_MS,
              value_of(0), semctl(set, 0, GETPID));
    }
    before = __atomic_exchange_n(&shared->holder, me, __ATOMIC_SEQ_CST);
    if (before) {
        const struct worker_state *other = &shared->worker[(before - 1) % 256];

        if (__atomic_load_n(&other->doomed, __ATOMIC_SEQ_CST) < (int)((before - 1) / 256))
            blame("two are inside: %#x and %#x", before, me);
    }
    linger();
    before = me;
    if (!__atomic_compare_exchange_n(&shared->holder, &before, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        blame("%#x came in while %#x was inside", before, me);
    __atomic_add_fetch(&shared->entered, 1, __ATOMIC_SEQ_CST);
    if (!operate(unlock, count, WAIT_MS))
        blame("unlocking takes time");
}

static void check_sum(int wanted)
{
    unsigned short values[SEMS];
    int sum = 0, i;

    NEED(semctl(set, 0, GETALL, (union semun){.array = values}) == 0, "GETALL");
    for (i = 0; i < SEMS; i++)
        sum += values[i];
    if (sum != wanted)
        blame("the sum is %d, not %d: %d %d %d", sum, wanted, values[0], values[1], values[2]);
}

static int own[SEMS]; /* what this process has moved, and would move back at its end */

/* Whether it has moved so much that a value could come near 0 or the highest, where undoing would lose some. */
static int far_off(void)
{
    int i;

    for (i = 0; i < SEMS; i++)
        if (own[i] > OWN_MOST || own[i] < -OWN_MOST)
            return 1;
    return 0;
}

static void move_back(void)
{
    struct sembuf ops[SEMS];
    size_t count = 0;
    int i;

    for (i = 0; i < SEMS; i++)
        if (own[i])
            ops[count++] = (struct sembuf){(unsigned short)i, (short)-own[i], SEM_UNDO};
    if (!operate(ops, count, WAIT_MS))
        blame("moving back takes time");
    memset(own, 0, sizeof own);
}

/* Moves a unit or two, and looks. */
static void move_units(void)
{
    int undo = is_mode("transfer-undo"), two = (int)random_below(2);
    short flags = undo ? SEM_UNDO : 0;
    unsigned short a = (unsigned short)random_below(SEMS), b = (unsigned short)((a + 1) % SEMS);
    unsigned short c = (unsigned short)((a + 2) % SEMS);
    struct sembuf ops[] = {{a, (short)(-1 - two), flags}, {b, 1, flags}, {c, 1, flags}};

    if (undo && far_off()) {
        move_back();
    } else if (operate(ops, 2 + (size_t)two, 5) && undo) {
        own[a] -= 1 + two;
        own[b]++;
        own[c] += two;
    }
    __atomic_add_fetch(&shared->entered, 1, __ATOMIC_SEQ_CST);
    if (random_below(4) == 0)
        check_sum(SEMS * (undo ? UNDO_UNITS : UNITS));
}

/* Semaphore 0 counts what there is, 1 what there is room for. By turns one operation and two in an array. */
static void produce_or_consume(void)
{
    struct worker_state *my = &shared->worker[place];
    int producer = place % 2;
    struct sembuf ops[] = {{(unsigned short)producer, -1, 0}, {(unsigned short)!producer, 1, 0}};

    __atomic_store_n(&my->begun, my->begun + 1, __ATOMIC_SEQ_CST);
    if (operate(ops, 2, 20))
        __atomic_store_n(&my->returned, my->returned + 1, __ATOMIC_SEQ_CST);
    else
        __atomic_store_n(&my->begun, my->begun - 1, __ATOMIC_SEQ_CST);
}

static void (*turn)(void);

static pid_t start_worker(int i)
{
    pid_t pid;

    __atomic_store_n(&shared->worker[i].life, shared->worker[i].life + 1, __ATOMIC_SEQ_CST);
    seed += 7919;
    pid = fork_bound();
    if (pid)
        return pid;
    place = i;
    while (!stopping())
        turn();
    _exit(0);
}

/* Ends a worker, perhaps one that was stopped before. */
static void kill_worker(int i, pid_t pid)
{
    int status, stopped = random_below(4) == 0;

    if (stopped) {
        NEED(kill(pid, SIGSTOP) == 0, "SIGSTOP");
        usleep(random_below(3000));
    }
    __atomic_store_n(&shared->worker[i].doomed, shared->worker[i].life, __ATOMIC_SEQ_CST);
    NEED(kill(pid, SIGKILL) == 0, "SIGKILL");
    status = reap(pid);
    errno = 0;
    NEED(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "worker %d: %s: %s", i, status_text(status), shared->wrong);
}

static void pause_worker(pid_t pid)
{
    NEED(kill(pid, SIGSTOP) == 0, "SIGSTOP");
    usleep(random_below(20000));
    NEED(kill(pid, SIGCONT) == 0, "SIGCONT");
}

/* Workers use the set; one after another is killed, and another takes its place. Calls of killed workers that
 * may have been done or not: those of producers to [1], of consumers to [0]. */
static void massacre(int unknown[2])
{
    pid_t pid[WORKERS];
    int i, k, status;

    for (i = 0; i < WORKERS; i++)
        pid[i] = start_worker(i);
    for (k = 0; k < kills(); k++) {
        usleep(random_below(6000));
        if (random_below(5) == 0)
            pause_worker(pid[random_below(WORKERS)]);
        i = (int)random_below(WORKERS);
        kill_worker(i, pid[i]);
        if (shared->worker[i].begun != shared->worker[i].returned) {
            unknown[i % 2]++;
            shared->worker[i].begun = shared->worker[i].returned;
        }
        pid[i] = start_worker(i);
    }
    __atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
    for (i = 0; i < WORKERS; i++) {
        status = reap(pid[i]);
        errno = 0;
        NEED(status == 0, "worker %d: %s: %s", i, status_text(status), shared->wrong);
    }
}

static int ignored[2];

static int mutex(void)
{
    int i;

    turn = use_mutex;
    set_all(1);
    massacre(ignored);
    for (i = 0; i < SEMS; i++)
        NEED(value_of(i) == 1, "semaphore %d is %d in the end", i, value_of(i));
    NEED(shared->entered > 100, "the lock was held only %lu times", shared->entered);
    say("held %lu times", shared->entered);
    return 0;
}

static int transfer(void)
{
    int i, start = is_mode("transfer-undo") ? UNDO_UNITS : UNITS;

    turn = move_units;
    set_all((unsigned short)start);
    massacre(ignored);
    check_sum(SEMS * start);
    for (i = 0; i < SEMS && start == UNDO_UNITS; i++)
        NEED(value_of(i) == start, "semaphore %d is %d in the end", i, value_of(i));
    NEED(shared->entered > 100, "only %lu turns", shared->entered);
    say("%lu turns", shared->entered);
    return 0;
}

static int count(void)
{
    unsigned returned[2] = {0, 0};
    int i, left, unknown[2] = {0, 0};

    turn = produce_or_consume;
    NEED(semctl(set, 1, SETVAL, (union semun){.val = UNITS}) == 0, "SETVAL");
    massacre(unknown);
    for (i = 0; i < WORKERS; i++)
        returned[i % 2] += shared->worker[i].returned;
    left = value_of(0);
    errno = 0;
    NEED(left + value_of(1) == UNITS, "%d there, %d free, of %d", left, value_of(1), UNITS);
    NEED((int)(returned[1] - returned[0]) <= left + unknown[0] && (int)(returned[1] - returned[0]) >= left - unknown[1],
         "%u made, %u taken, %d left; unknown: %d and %d", returned[1], returned[0], left, unknown[1], unknown[0]);
    NEED(returned[0] > 100, "only %u were taken", returned[0]);
    say("%u made, %u taken, %d left; unknown: %d and %d", returned[1], returned[0], left, unknown[1], unknown[0]);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {
        {"mutex", mutex}, {"mutex3", mutex}, {"transfer", transfer}, {"transfer-undo", transfer}, {"count", count}};
    int result;

    NEED(argc == 2, "usage: crash_sem MODE");
    mode = argv[1];
    shared = shared_memory(sizeof *shared);
    seed = (unsigned)getpid();
    set = semget(IPC_PRIVATE, SEMS, 0600);
    NEED(set != -1, "semget");
    result = run_mode(modes, LENGTH(modes), mode);
    NEED(semctl(set, 0, IPC_RMID) == 0, "IPC_RMID");
    return result;
}
