/*
 * dead_sem MODE: a process that holds semaphores with SEM_UNDO is killed.
 *     seen      no call sees what the dead process has done
 *     threads   not that process ends, but the thread by which it took them: it holds them still
 *     latency   the only other process sleeps: how soon it goes on
 */
#include "ground.h"
#include <pthread.h>
#include <sys/sem.h>

enum { SEMS = 3 };

union semun {
    unsigned short *array;
};

static int set;

static int kills(void)
{
    const char *mode = getenv("MODE");

    return mode && strcmp(mode, "soak") == 0 ? 5000 : 200;
}

static int value_of(int sem) { return semctl(set, sem, GETVAL); }

static void set_all(unsigned short value)
{
    unsigned short values[SEMS] = {value, value, value};

    NEED(semctl(set, 0, SETALL, (union semun){.array = values}) == 0, "SETALL");
}

/* A process that holds all semaphores when this returns. */
static pid_t start_holder(size_t sems)
{
    struct sembuf ops[] = {{0, -1, SEM_UNDO}, {1, -1, SEM_UNDO}, {2, 3, SEM_UNDO}};
    int ready[2];
    char byte;
    pid_t pid;

    NEED(pipe2(ready, O_CLOEXEC) == 0, "pipe");
    pid = fork_bound();
    if (pid == 0) {
        NEED(semop(set, ops, sems) == 0 && write(ready[1], "r", 1) == 1, "holding");
        for (;;)
            pause();
    }
    close(ready[1]);
    NEED(read(ready[0], &byte, 1) == 1, "the holder failed");
    close(ready[0]);
    return pid;
}

static void *take(void *unused)
{
    struct sembuf op = {0, -1, SEM_UNDO};

    (void)unused;
    NEED(semop(set, &op, 1) == 0, "a thread's semop");
    return NULL;
}

static int threads(void)
{
    int k, i, ready[2];
    char byte;

    set_all(3);
    NEED(pipe2(ready, O_CLOEXEC) == 0, "pipe");
    for (k = 0; k < kills() / 10; k++) {
        pid_t pid = fork_bound();

        if (pid == 0) {
            pthread_t thread;

            for (i = 0; i < 2; i++) {
                NEED(pthread_create(&thread, NULL, take, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread");
                NEED(write(ready[1], "r", 1) == 1, "a pipe");
            }
            for (;;)
                pause();
        }
        for (i = 0; i < 2; i++)
            NEED(read(ready[0], &byte, 1) == 1, "the holder failed");
        for (i = 0; i < 5; i++)
            NEED(value_of(0) == 1, "with its threads gone the process holds %d", 3 - value_of(0));
        kill(pid, SIGKILL);
        reap(pid);
        NEED(value_of(0) == 3, "after its end %d", value_of(0));
    }
    return 0;
}

static int seen(void)
{
    int k, i;

    set_all(1);
    for (k = 0; k < kills(); k++) {
        unsigned short values[SEMS];
        pid_t pid = start_holder(SEMS);

        NEED(value_of(0) == 0 && value_of(2) == 4, "the holder holds %d %d", value_of(0), value_of(2));
        NEED(kill(pid, SIGKILL) == 0, "SIGKILL");
        reap(pid);
        errno = 0;
        if (k % 3 == 0) {
            for (i = 0; i < SEMS; i++)
                NEED(value_of((i + k) % SEMS) == 1, "GETVAL shows %d", value_of((i + k) % SEMS));
        } else if (k % 3 == 1) {
            NEED(semctl(set, 0, GETALL, (union semun){.array = values}) == 0, "GETALL");
            for (i = 0; i < SEMS; i++)
                NEED(values[i] == 1, "GETALL shows %d", values[i]);
        } else {
            struct sembuf down = {0, -1, IPC_NOWAIT}, up = {0, 1, 0}, more = {2, -2, IPC_NOWAIT};

            NEED(semop(set, &down, 1) == 0 && semop(set, &up, 1) == 0, "semop");
            NEED(semop(set, &more, 1) == -1 && errno == EAGAIN, "a dead process's units are there");
        }
    }
    return 0;
}

static int64_t now_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return left < right ? -1 : left > right;
}

/* Waits for the lock, says when it got it, and leaves it. */
static void wait_and_tell(int to)
{
    struct sembuf lock = {0, -1, SEM_UNDO};
    int64_t got;

    NEED(semop(set, &lock, 1) == 0, "semop");
    got = now_us();
    NEED(write(to, &got, sizeof got) == sizeof got, "write");
    _exit(0);
}

static int latency(void)
{
    static int64_t took[5000];
    int rounds = kills() / 2, k, tell[2];

    set_all(1);
    NEED(pipe2(tell, O_CLOEXEC) == 0, "pipe");
    for (k = 0; k < rounds; k++) {
        pid_t holder = start_holder(1), waiter = fork_bound();
        int64_t killed, got;

        if (waiter == 0)
            wait_and_tell(tell[1]);
        while (semctl(set, 0, GETNCNT) != 1)
            sleep_ms(1);
        sleep_ms(1 + k * 7 % 40);
        killed = now_us();
        NEED(kill(holder, SIGKILL) == 0, "SIGKILL");
        NEED(read(tell[0], &got, sizeof got) == sizeof got, "read");
        took[k] = got - killed;
        reap(holder);
        reap_well(waiter, "the waiter");
    }
    qsort(took, (size_t)rounds, sizeof *took, by_size);
    say("from the kill to the next holder, in us: least %lld, median %lld, 90%% %lld, most %lld of %d",
        (long long)took[0], (long long)took[rounds / 2], (long long)took[rounds * 9 / 10],
        (long long)took[rounds - 1], rounds);
    errno = 0;
    NEED(took[rounds - 1] < 1000000, "a dead holder's semaphore was not free in time");
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {{"seen", seen}, {"threads", threads}, {"latency", latency}};
    int result;

    NEED(argc == 2, "usage: dead_sem MODE");
    set = semget(IPC_PRIVATE, SEMS, 0600);
    NEED(set != -1, "semget");
    result = run_mode(modes, LENGTH(modes), argv[1]);
    NEED(semctl(set, 0, IPC_RMID) == 0, "IPC_RMID");
    return result;
}
