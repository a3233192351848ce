/*
 * crash_step: a process is led through a call on a set of semaphores one instruction at a time, and killed after
 * so and so many of them: in check mode after some sixty different numbers, in soak mode after every single one.
 * The call is then done altogether or not at all, what was done with SEM_UNDO is undone, a sleeper is
 * served or sleeps on, and the set can be used. Ends with 77 where nobody may be traced.
 */
#include "ground.h"
#include <sys/ptrace.h>
#include <sys/sem.h>

enum { SEMS = 3, PLACES = 60, SERVED_MS = 3000 };

union semun {
    unsigned short *array;
};

struct operation {
    const char *name;
    void (*run)(void);
    unsigned short done[SEMS]; /* the values when it was done, and its process is dead */
    int sleeper;               /* whether another process waits for semaphore 2 */
};

static const unsigned short start_values[SEMS] = {1, 5, 0};
static int set;

static void operate(struct sembuf *ops, size_t count) { NEED(semop(set, ops, count) == 0, "semop"); }

static void lock(void) { operate(&(struct sembuf){0, -1, SEM_UNDO}, 1); }
static void move_undo(void) { operate((struct sembuf[]){{0, -1, SEM_UNDO}, {1, 1, SEM_UNDO}}, 2); }
static void move(void) { operate((struct sembuf[]){{0, -1, 0}, {1, -2, 0}, {2, 3, 0}}, 3); }
static void serve(void) { operate((struct sembuf[]){{0, -1, 0}, {2, 1, 0}}, 2); }

static void set_all(void)
{
    unsigned short values[SEMS] = {7, 8, 9};

    NEED(semctl(set, 0, SETALL, (union semun){.array = values}) == 0, "SETALL");
}

/* Sleeps a moment, and gives up. */
static void give_up(void)
{
    struct timespec moment = {0, 1000};

    NEED(semtimedop(set, (struct sembuf[]){{2, -1, SEM_UNDO}, {0, -1, SEM_UNDO}}, 2, &moment) == -1 && errno == EAGAIN,
         "semtimedop");
}

static const struct operation operations[] = {
    {"lock", lock, {1, 5, 0}, 0},       {"move-undo", move_undo, {1, 5, 0}, 0}, {"move", move, {0, 3, 3}, 0},
    {"serve", serve, {0, 5, 0}, 1},     {"setall", set_all, {7, 8, 9}, 0},      {"give-up", give_up, {1, 5, 0}, 0},
};

static void get_all(unsigned short *values)
{
    NEED(semctl(set, 0, GETALL, (union semun){.array = values}) == 0, "GETALL");
}

/* The next stop of the traced process: its signal, or 0 when it has ended. */
static int stop_of(pid_t pid)
{
    int status = reap(pid);

    return WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

/* A process that stands before the operation; it knows the set already. */
static pid_t start_traced(const struct operation *operation)
{
    pid_t pid = fork_bound();

    if (pid == 0) {
        unsigned short values[SEMS];

        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
            _exit(77);
        operate(&(struct sembuf){1, 1, SEM_UNDO}, 1);
        operate(&(struct sembuf){1, -1, SEM_UNDO}, 1);
        get_all(values);
        raise(SIGSTOP);
        operation->run();
        raise(SIGSTOP);
        _exit(0);
    }
    if (stop_of(pid) != SIGSTOP) {
        say("nobody may be traced here");
        _exit(77);
    }
    return pid;
}

/* Leads it `steps` instructions on, or up to the end of the operation; how many they were. */
static long lead(pid_t pid, long steps)
{
    long i;

    for (i = 0; i < steps; i++) {
        int signal_number;

        NEED(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0, "PTRACE_SINGLESTEP");
        signal_number = stop_of(pid);
        if (signal_number == SIGSTOP)
            break;
        NEED(signal_number == SIGTRAP, "stopped by signal %d", signal_number);
    }
    return i;
}

static pid_t start_sleeper(void)
{
    pid_t pid = fork_bound();

    if (pid == 0)
        _exit(semop(set, &(struct sembuf){2, -1, 0}, 1) == 0 ? 0 : 1);
    while (semctl(set, 2, GETNCNT) != 1)
        sleep_ms(1);
    return pid;
}

/* Who has been served ends by itself, who has not sleeps on. */
static void check_sleeper(pid_t pid, int served, const char *where)
{
    int64_t end = now_ms() + SERVED_MS;
    int status = 0;
    pid_t ended = 0;

    while (served && now_ms() < end && (ended = waitpid(pid, &status, WNOHANG)) == 0)
        sleep_ms(1);
    errno = 0;
    NEED(!served || (ended == pid && status == 0), "%s: the sleeper was served, and sleeps", where);
    if (served)
        return;
    NEED(semctl(set, 2, GETNCNT) == 1, "%s: the sleeper was not served, and does not sleep", where);
    kill(pid, SIGKILL);
    reap(pid);
}

/* All of the operation has been done, or nothing. */
static void check_set(const struct operation *operation, pid_t sleeper, const char *where)
{
    unsigned short values[SEMS];
    int undone;

    get_all(values);
    undone = memcmp(values, start_values, sizeof values) == 0;
    if (operation->sleeper) {
        /* One who was looking round at that moment, not asleep, takes what is his a moment later. */
        check_sleeper(sleeper, !undone, where);
        get_all(values);
    }
    errno = 0;
    NEED(undone || memcmp(values, operation->done, sizeof values) == 0, "%s: %d %d %d", where, values[0], values[1],
         values[2]);
    NEED(semctl(set, 2, GETNCNT) == 0, "%s: somebody waits", where);
    operate((struct sembuf[]){{1, -1, IPC_NOWAIT}, {1, 1, IPC_NOWAIT}}, 2);
}

static void kill_after(const struct operation *operation, long steps)
{
    unsigned short values[SEMS];
    pid_t sleeper = 0, pid;
    char where[80];

    memcpy(values, start_values, sizeof values);
    NEED(semctl(set, 0, SETALL, (union semun){.array = values}) == 0, "SETALL");
    if (operation->sleeper)
        sleeper = start_sleeper();
    pid = start_traced(operation);
    lead(pid, steps);
    NEED(kill(pid, SIGKILL) == 0, "SIGKILL");
    reap(pid);
    snprintf(where, sizeof where, "%s, killed after %ld instructions", operation->name, steps);
    check_set(operation, sleeper, where);
}

static long length_of(const struct operation *operation)
{
    unsigned short values[SEMS];
    pid_t sleeper = 0, pid;
    long length;

    memcpy(values, start_values, sizeof values);
    NEED(semctl(set, 0, SETALL, (union semun){.array = values}) == 0, "SETALL");
    if (operation->sleeper)
        sleeper = start_sleeper();
    pid = start_traced(operation);
    length = lead(pid, 1000000);
    NEED(length < 1000000, "%s does not end", operation->name);
    kill(pid, SIGKILL);
    reap(pid);
    if (operation->sleeper)
        reap_well(sleeper, "the sleeper");
    return length;
}

int main(void)
{
    const char *mode = getenv("MODE");
    size_t i;

    set = semget(IPC_PRIVATE, SEMS, 0600);
    NEED(set != -1, "semget");
    for (i = 0; i < LENGTH(operations); i++) {
        long steps, length = length_of(&operations[i]);
        long stride = mode && strcmp(mode, "soak") == 0 ? 1 : length / PLACES + 1;

        for (steps = 0; steps <= length; steps += stride)
            kill_after(&operations[i], steps);
        say("%s: killed at every %ld. of %ld instructions", operations[i].name, stride, length);
    }
    NEED(semctl(set, 0, IPC_RMID) == 0, "IPC_RMID");
    return 0;
}
