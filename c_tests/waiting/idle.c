/*
 * idle msgrcv|mq_receive|semop|undo PROCESSES: so many processes wait for something that does not come. Together they wake
 * no more than 75 times a second, and use less than 0.5 % of one processor; or, where other programs make every wake-up dear, no
 * more than eight processes that wake 60 times a second.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SETTLE_MS = 1500, WATCHED_MS = 2500, TRIES = 3, CONTROL_WAKES_S = 60, CONTROLS = 8 };
static const double most_percent = 0.5, most_wakes_s = 75;

static int id;
static mqd_t queue;

static void prepare(const char *what)
{
    struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
    struct sembuf take = { .sem_num = 1, .sem_op = 1, .sem_flg = SEM_UNDO };

    if (strcmp(what, "mq_receive") == 0)
        queue = mq_open("/idle", O_RDWR | O_CREAT, 0600, &attr);
    else if (strcmp(what, "msgrcv") == 0)
        id = msgget(IPC_PRIVATE, 0600);
    else
        id = semget(IPC_PRIVATE, 2, 0600);
    if (id == -1 || queue == (mqd_t)-1)
        perror(what), exit(2);
    /* Somebody who could be killed, and what he has done undone, at any moment. */
    if (strcmp(what, "undo") == 0 && semop(id, &take, 1) != 0)
        perror(what), exit(2);
}

static void wait_for_it(const char *what)
{
    struct sembuf down = { .sem_op = -1 };
    struct { long type; char text[8]; } message;

    if (strcmp(what, "mq_receive") == 0)
        mq_receive(queue, message.text, 8, NULL);
    else if (strcmp(what, "msgrcv") == 0)
        msgrcv(id, &message, 8, 0, 0);
    else
        semop(id, &down, 1);
}

static double now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static double used_ns(const pid_t *pids, int n)
{
    double sum = 0;
    int i;

    for (i = 0; i < n; i++) {
        clockid_t clock;

        if (clock_getcpuclockid(pids[i], &clock) != 0)
            fprintf(stderr, "a process has gone\n"), exit(2);
        sum += now_ns(clock);
    }
    return sum;
}

static double wakes(const pid_t *pids, int n)
{
    double sum = 0;
    int i;

    for (i = 0; i < n; i++) {
        char path[32], line[128];
        long count;
        FILE *status;

        snprintf(path, sizeof path, "/proc/%d/status", (int)pids[i]);
        if (!(status = fopen(path, "r")))
            perror(path), exit(2);
        while (fgets(line, sizeof line, status))
            if (sscanf(line, "voluntary_ctxt_switches: %ld", &count) == 1)
                sum += count;
        fclose(status);
    }
    return sum;
}

static void sleep_ms(int ms) { nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL); }

static void end_children(const pid_t *pids, int last)
{
    for (int i = 0; i <= last; i++)
        kill(pids[i], SIGKILL);
    while (wait(NULL) > 0)
        ;
}

/* Children 0 to n - 1 wait; child n wakes now and then. */
static void start_children(const char *what, pid_t *pids, int n)
{
    for (int i = 0; i <= n; i++) {
        if ((pids[i] = fork()) == -1) {
            perror("fork");
            end_children(pids, i - 1);
            exit(2);
        }
        if (pids[i] == 0 && i < n)
            wait_for_it(what), _exit(1);
        while (pids[i] == 0)
            sleep_ms(1000 / CONTROL_WAKES_S);
    }
}

int main(int argc, char **argv)
{
    int n = argc > 2 ? atoi(argv[2]) : 0, i;
    pid_t *pids = calloc(n + 1, sizeof *pids);
    double used, used_by_control, woken, elapsed, percent, limit;

    if (!n || !pids)
        return 2;
    prepare(argv[1]);
    start_children(argv[1], pids, n);
    sleep_ms(SETTLE_MS);
    for (i = 0, percent = 100, limit = 0, woken = 0; i < TRIES && (percent >= limit || woken > most_wakes_s); i++) {
        woken = wakes(pids, n);
        used = used_ns(pids, n), used_by_control = used_ns(pids + n, 1), elapsed = now_ns(CLOCK_MONOTONIC);
        sleep_ms(WATCHED_MS);
        elapsed = now_ns(CLOCK_MONOTONIC) - elapsed;
        percent = 100 * (used_ns(pids, n) - used) / elapsed;
        woken = 1e9 * (wakes(pids, n) - woken) / elapsed;
        limit = CONTROLS * 100 * (used_ns(pids + n, 1) - used_by_control) / elapsed;
        limit = limit < most_percent ? most_percent : limit;
    }
    end_children(pids, n);
    if (percent < limit && woken <= most_wakes_s)
        return 0;
    printf("%d waiting processes use %.2f %% of a processor (at most %.2f) and wake %.0f times a second\n", n, percent, limit, woken);
    return 1;
}
