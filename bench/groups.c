/* Queues with many processes. */
#define _GNU_SOURCE
#include "bench.h"
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum { SIZE = 64, ROOM = 8192, WATCHED_MS = 2000 };

static long *queues;
static int queue_count;

static void make_queues(int count, long slots)
{
    int i;

    queue_count = count;
    queues = (long *)calloc(count, sizeof *queues);
    need(queues, "calloc");
    for (i = 0; i < count; i++)
        queues[i] = job.channel->make(i, slots, SIZE);
}

static void destroy_queues(void)
{
    int i;

    for (i = 0; i < queue_count; i++)
        job.channel->kind->destroy(queues[i], i);
}

static struct message *a_message(void)
{
    static union {
        struct message message;
        char room[sizeof(struct message) + ROOM];
    } buffer;

    return &buffer.message;
}

static void touch_queue(int who)
{
    if (job.channel->kind->stat)
        job.channel->kind->stat(queues[who % queue_count]);
}

static void setup_slots(void) { make_queues(1, job.number); }
static void setup_one(void) { make_queues(1, 0); }
static void setup_each(void) { make_queues(job.number, 1); }

/* The first half sends, the other receives; n each. */
static void produce_or_consume(int who, long n)
{
    while (n-- > 0) {
        if (who < job.scene->procs / 2)
            job.channel->send(queues[0], a_message(), SIZE, 0);
        else
            job.channel->receive(queues[0], a_message(), SIZE);
    }
}

static double crowd(long n)
{
    long each = n / (job.scene->procs / 2) + 1;

    return together(job.scene->procs, touch_queue, produce_or_consume, each) / (each * (job.scene->procs / 2));
}

static void send_and_receive(int who, long n)
{
    long queue = queues[who % queue_count];

    while (n-- > 0) {
        job.channel->send(queue, a_message(), SIZE, 0);
        job.channel->receive(queue, a_message(), SIZE);
    }
}

static double pairs_of_many(long n)
{
    long each = n / job.number + 1;

    return together(job.number, touch_queue, send_and_receive, each) / (each * job.number);
}

static double cpu_time_ns(const pid_t *pids)
{
    double sum = 0;
    int i;

    for (i = 0; i < job.number; i++) {
        struct timespec spent;
        clockid_t clock;

        need(clock_getcpuclockid(pids[i], &clock) == 0 && clock_gettime(clock, &spent) == 0, "clock_getcpuclockid");
        sum += spent.tv_sec * 1e9 + spent.tv_nsec;
    }
    return sum;
}

/* What `number` processes that wait for a message use of one core while none comes. */
static double idle(long n)
{
    pid_t *pids = (pid_t *)calloc(job.number, sizeof *pids);
    double before, start;
    int i;

    (void)n;
    need(pids, "calloc");
    for (i = 0; i < job.number; i++) {
        pids[i] = fork();
        need(pids[i] != -1, "fork");
        if (pids[i] == 0) {
            job.channel->receive(queues[0], a_message(), SIZE);
            _exit(0);
        }
    }
    usleep(1000000);
    before = cpu_time_ns(pids);
    start = now_ns();
    usleep(WATCHED_MS * 1000);
    before = 100 * (cpu_time_ns(pids) - before) / (now_ns() - start);
    for (i = 0; i < job.number; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    free(pids);
    return before;
}

const struct scene channel_group_scenes[] = {
    { "2x2", "slots", 0, "message", "two processes send 64 bytes, two receive; 0 slots: the default queue", setup_slots,
      crowd, destroy_queues, ANYWHERE, 0, 4 },
    { "4x4", "slots", 0, "message", "four processes send 64 bytes, four receive; 0 slots: the default queue", setup_slots,
      crowd, destroy_queues, ANYWHERE, 0, 8 },
    { "shared", "processes", 8, "pair", "send and receive, all by one queue", setup_one, pairs_of_many, destroy_queues,
      ANYWHERE, 0, OF_NUMBER },
    { "own", "processes", 8, "pair", "send and receive, each process by its own queue", setup_each, pairs_of_many,
      destroy_queues, ANYWHERE, 0, OF_NUMBER },
    { "idle", "processes", 1000, "percent", "of a core, used by processes that wait for a message", setup_one, idle,
      destroy_queues, ANYWHERE, 1, 0 },
    { 0 },
};
