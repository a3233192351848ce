/* Queues with one process, or two. */
#include "bench.h"
#include <time.h>

enum { SMALL = 64, LARGE = 8192, DEFAULT_SLOTS = 10, MiB = 1 << 20 };

static long *queues;
static int queue_count;
static struct message *buffer;
static size_t size;

/* All rows of a channel: so many queues of this shape. */
static void make_queues(int count, long slots, size_t message_size)
{
    int i;

    size = message_size;
    queue_count = count;
    buffer = (struct message *)calloc(1, sizeof *buffer + (size > LARGE ? size : LARGE));
    queues = (long *)calloc(count, sizeof *queues);
    need(buffer && queues, "calloc");
    for (i = 0; i < count; i++)
        queues[i] = job.channel->make(i, slots, size);
}

static void destroy_queues(void)
{
    int i;

    for (i = 0; i < queue_count; i++)
        job.channel->kind->destroy(queues[i], i);
}

static void send(long queue, long rank) { job.channel->send(queue, buffer, size, rank); }
static void receive(long queue) { job.channel->receive(queue, buffer, size); }

/* The default queue where that holds two messages; else ten, or as many as make 32 MiB. */
static long slots_for(size_t message_size)
{
    long slots = message_size ? (long)(32 * MiB / message_size) : 0;

    if (message_size <= LARGE)
        return 0;
    return slots < 2 ? 2 : slots > DEFAULT_SLOTS ? DEFAULT_SLOTS : slots;
}

static void setup_pair(void)
{
    make_queues(1, slots_for(job.number), job.number);
    spread(0);
}

static double pair(long n)
{
    double start = now_ns();
    long i;

    for (i = 0; i < n; i++) {
        send(queues[0], 0);
        receive(queues[0]);
    }
    return (now_ns() - start) / n;
}

static void setup_among(void)
{
    make_queues(job.number, 1, SMALL);
    spread(0);
}

/* Each pair on another queue; a step that is prime to their number comes to all of them. */
static double pair_among(long n)
{
    double start = now_ns();
    long i, queue = 0;

    for (i = 0; i < n; i++) {
        send(queues[queue], 0);
        receive(queues[queue]);
        queue = (queue + 7919) % queue_count;
    }
    return (now_ns() - start) / n;
}

static void setup_fifo(void)
{
    long i;

    make_queues(1, job.number + DEFAULT_SLOTS, SMALL);
    for (i = 0; i < job.number; i++)
        send(queues[0], 0);
    spread(0);
}

static void empty(long messages)
{
    while (messages-- > 0)
        receive(queues[0]);
}

/* One message at each of `number` evenly spread priorities. */
static void fill_ranks(void)
{
    long i;

    for (i = 0; i < job.number; i++)
        send(queues[0], i * job.channel->ranks / job.number);
}

static void setup_ranks(void)
{
    if (job.channel->ranks == 1)
        die("no priorities");
    make_queues(1, job.number + DEFAULT_SLOTS, SMALL);
    fill_ranks();
    spread(0);
}

/*
 * Random priorities come and the highest goes, so low ones pile up: before that shows, the queue is filled
 * anew, which is not timed.
 */
static double pair_ranked(long n)
{
    double spent = 0;
    long done, chunk;

    for (done = 0; done < n; done += chunk) {
        long i;
        double start;

        chunk = job.number == 0 || n - done < 5000 ? n - done : 5000;
        empty(job.number);
        fill_ranks();
        start = now_ns();
        for (i = 0; i < chunk; i++) {
            send(queues[0], next_random() % job.channel->ranks);
            receive(queues[0]);
        }
        spent += now_ns() - start;
    }
    return spent / n;
}

static void setup_two(void) { make_queues(2, 0, job.number); }

/* Before the start: a first call, which a library may use to get to know the process. */
static void touch_queues(int who)
{
    (void)who;
    if (job.channel->kind->stat)
        job.channel->kind->stat(queues[0]);
}

static void bat(int who, long n)
{
    while (n-- > 0) {
        if (who == 0)
            send(queues[0], 0);
        receive(queues[who == 0]);
        if (who == 1)
            send(queues[1], 0);
    }
}

/* Who 0 sends by queue 0 and hears by queue 1; who 1 hears by queue 0 and answers by queue 1. */
static double pingpong(long n) { return together(2, touch_queues, bat, n) / n; }

static void setup_stream(void) { make_queues(1, job.number, SMALL); }
static void setup_bulk(void) { make_queues(1, slots_for(job.number), job.number); }

static void stream_half(int who, long n)
{
    while (n-- > 0) {
        if (who == 0)
            send(queues[0], 0);
        else
            receive(queues[0]);
    }
}

static double stream(long n) { return together(2, touch_queues, stream_half, n) / n; }

static double *latencies;

static void setup_wake(void)
{
    make_queues(1, 0, sizeof(double));
    latencies = (double *)shared_memory(100000 * sizeof *latencies);
}

/* The sender stays awake for the gap, the receiver sleeps on its own CPU. */
static void wake_half(int who, long n)
{
    long i;

    for (i = 0; i < n; i++) {
        double now, until = now_ns() + job.number * 1e3;

        if (who == 0) {
            while ((now = now_ns()) < until)
                ;
            memcpy(buffer->text, &now, sizeof now);
            send(queues[0], 0);
        } else {
            receive(queues[0]);
            memcpy(&now, buffer->text, sizeof now);
            latencies[i] = now_ns() - now;
        }
    }
}

/* The median, since a sleep that is disturbed is disturbed a lot. */
static double wake(long n)
{
    n = (long)(3 * job.sample_ns / (job.number * 1e3 + 20e3));
    n = n < 11 ? 11 : n > 10000 ? 10000 : n;
    together(2, touch_queues, wake_half, n);
    return median(latencies, n);
}

const struct scene channel_scenes[] = {
    { "pair", "bytes", SMALL, "pair", "send and receive in one process", setup_pair, pair, destroy_queues, ONE_CPU, 0, 0 },
    { "among", "queues", 1000, "pair", "send and receive, each time by another queue", setup_among, pair_among,
      destroy_queues, ONE_CPU, 0, 0 },
    { "fifo", "messages there", 1000, "pair", "send and receive with others of the same rank queued", setup_fifo, pair,
      destroy_queues, ONE_CPU, 0, 0 },
    { "ranks", "messages there", 5000, "pair", "send at random priorities and receive with others queued", setup_ranks,
      pair_ranked, destroy_queues, ONE_CPU, 0, 0 },
    { "pingpong-cross", "bytes", SMALL, "round trip", "two processes, two queues", setup_two, pingpong, destroy_queues,
      TWO_CPUS, 0, 2 },
    { "pingpong-same", "bytes", SMALL, "round trip", "two processes, two queues", setup_two, pingpong, destroy_queues,
      ONE_CPU, 0, 2 },
    { "stream-cross", "slots", 0, "message", "one sends 64 bytes, one receives; 0 slots: the default queue", setup_stream,
      stream, destroy_queues, TWO_CPUS, 0, 2 },
    { "stream-same", "slots", 0, "message", "one sends 64 bytes, one receives; 0 slots: the default queue", setup_stream,
      stream, destroy_queues, ONE_CPU, 0, 2 },
    { "bulk-cross", "bytes", 8192, "message", "one sends, one receives; the default queue, or ten slots for larger messages",
      setup_bulk, stream, destroy_queues, TWO_CPUS, 0, 2 },
    { "wake", "us of silence", 1000, "message", "from a send to the end of a blocked receive", setup_wake, wake,
      destroy_queues, TWO_CPUS, 1, 2 },
    { 0 },
};
