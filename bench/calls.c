/* Scenes that only System V's calls can play, and the start of a process. */
#define _GNU_SOURCE
#include "system.h"
#include <spawn.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/wait.h>

enum { SIZE = 64, DEPTH_MARGIN = 10, STARTS = 400 };

static long object;
static struct {
    long type;
    char text[SIZE];
} message;

static void destroy_queue(void) { need(msgctl(object, IPC_RMID, NULL) == 0, "msgctl IPC_RMID"); }
static void destroy_set(void) { need(semctl(object, 0, IPC_RMID) == 0, "semctl IPC_RMID"); }
static void destroy_segment(void) { need(shmctl(object, IPC_RMID, NULL) == 0, "shmctl IPC_RMID"); }

static void post(long type)
{
    message.type = type;
    need(msgsnd(object, &message, SIZE, 0) == 0, "msgsnd");
}

static void fetch(long type) { need(msgrcv(object, &message, SIZE, type, 0) != -1, "msgrcv"); }

/* Messages of the types from 2 up, one each. */
static void setup_typed(void)
{
    long i;

    spread(0);
    set_msgmnb((job.number + DEPTH_MARGIN) * SIZE);
    object = msgget(IPC_PRIVATE, 0600);
    need(object != -1, "msgget");
    for (i = 0; i < job.number; i++)
        post(2 + i);
}

/* A type behind all the others. */
static double by_type(long n)
{
    double start = now_ns();
    long i, type = job.number + 2;

    for (i = 0; i < n; i++) {
        post(type);
        fetch(type);
    }
    return (now_ns() - start) / n;
}

/* The lowest of all types up to a bound, which came last. A type of 1 would end the kernel's search. */
static double by_bound(long n)
{
    double start;
    long i;

    if (job.number > 0)
        fetch(2); /* now the lowest is 3 */
    start = now_ns();
    for (i = 0; i < n; i++) {
        post(2);
        fetch(-(job.number + 2));
    }
    start = (now_ns() - start) / n;
    if (job.number > 0)
        post(2);
    return start;
}

/* One of those that are there, at random, which then comes back. */
static double by_random_type(long n)
{
    double start = now_ns();
    long i;

    for (i = 0; i < n; i++) {
        long type = 2 + next_random() % (job.number ? job.number : 1);

        if (job.number == 0)
            post(type);
        fetch(type);
        if (job.number != 0)
            post(type);
    }
    return (now_ns() - start) / n;
}

/* A set whose semaphores are all 1, in the range of one sample's arrays. */
static void setup_set(void)
{
    long semaphores = job.scene->number && job.number > 3 ? job.number : 3, i;
    unsigned short *ones = (unsigned short *)calloc(semaphores, sizeof *ones);

    spread(0);
    need(ones, "calloc");
    object = semget(IPC_PRIVATE, semaphores, 0600);
    need(object != -1, "semget");
    for (i = 0; i < semaphores; i++)
        ones[i] = 1;
    need(semctl(object, 0, SETALL, (union semun){ .array = ones }) == 0, "semctl SETALL");
    free(ones);
}

static double undo_pair(long n)
{
    struct sembuf down = { 0, -1, SEM_UNDO }, up = { 0, 1, SEM_UNDO };
    double start = now_ns();
    long i;

    for (i = 0; i < n; i++)
        need(semop(object, &down, 1) == 0 && semop(object, &up, 1) == 0, "semop");
    return (now_ns() - start) / n;
}

static double array_pair(long n)
{
    struct sembuf down[] = { { 0, -1, 0 }, { 1, -1, 0 }, { 2, -1, 0 } };
    struct sembuf up[] = { { 0, 1, 0 }, { 1, 1, 0 }, { 2, 1, 0 } };
    double start = now_ns();
    long i;

    for (i = 0; i < n; i++)
        need(semop(object, down, 3) == 0 && semop(object, up, 3) == 0, "semop");
    return (now_ns() - start) / n;
}

static double pair_in_set(long n)
{
    double start = now_ns();
    long i;

    for (i = 0; i < n; i++) {
        unsigned short which = next_random() % (job.number ? job.number : 1);
        struct sembuf down = { which, -1, 0 }, up = { which, 1, 0 };

        need(semop(object, &down, 1) == 0 && semop(object, &up, 1) == 0, "semop");
    }
    return (now_ns() - start) / n;
}

static void attach_and_detach(long segment, long bytes)
{
    char *memory = (char *)shmat(segment, NULL, 0);

    need(memory != (char *)-1, "shmat");
    memory[0]++;
    memory[bytes - 1]++;
    need(shmdt(memory) == 0, "shmdt");
}

static void setup_segment(void)
{
    spread(0);
    object = shmget(IPC_PRIVATE, job.number, 0600);
    need(object != -1, "shmget");
}

static double attach(long n)
{
    double start = now_ns();
    long i;

    for (i = 0; i < n; i++)
        attach_and_detach(object, job.number);
    return (now_ns() - start) / n;
}

static void pin(void) { spread(0); }

static double cycle(long n)
{
    double start = now_ns();
    long i;

    for (i = 0; i < n; i++) {
        object = shmget(IPC_PRIVATE, job.number, 0600);
        need(object != -1, "shmget");
        attach_and_detach(object, job.number);
        destroy_segment();
    }
    return (now_ns() - start) / n;
}

extern char **environ;

static double process_start(long n)
{
    static double spent[STARTS];
    char *arguments[] = { (char *)"true", NULL };
    int i;

    (void)n;
    for (i = 0; i < STARTS; i++) {
        double start = now_ns();
        pid_t pid;
        int status;

        need(posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environ) == 0 && waitpid(pid, &status, 0) == pid,
             "posix_spawn");
        spent[i] = now_ns() - start;
    }
    return median(spent, STARTS);
}

const struct scene system_scenes[] = {
    { "msg-type", "messages there", 0, "pair", "msgsnd and msgrcv of one type, with other types queued", setup_typed,
      by_type, destroy_queue, ONE_CPU, 0, 0 },
    { "msg-negative", "messages there", 0, "pair", "msgsnd and msgrcv of the lowest type up to a bound", setup_typed,
      by_bound, destroy_queue, ONE_CPU, 0, 0 },
    { "msg-random-type", "messages there", 10000, "pair", "msgrcv of a random type that is there, and msgsnd", setup_typed,
      by_random_type, destroy_queue, ONE_CPU, 0, 0 },
    { "sem-undo", NULL, 0, "pair", "down and up with SEM_UNDO", setup_set, undo_pair, destroy_set, ONE_CPU, 0, 0 },
    { "sem-array", NULL, 0, "pair", "three down and three up, an array each", setup_set, array_pair, destroy_set, ONE_CPU,
      0, 0 },
    { "sem-set", "semaphores", 1000, "pair", "down and up of a random one of a set", setup_set, pair_in_set, destroy_set,
      ONE_CPU, 0, 0 },
    { "shm-cycle", "bytes", 4096, "segment", "shmget, shmat, touch, shmdt, IPC_RMID", pin, cycle, NULL, ONE_CPU, 0, 0 },
    { "shm-attach", "bytes", 4096, "attach", "shmat, touch, shmdt", setup_segment, attach, destroy_segment, ONE_CPU, 0, 0 },
    { "start", NULL, 0, "process", "/bin/true, from posix_spawn to waitpid", pin, process_start, NULL, ONE_CPU, 1, 0 },
    { 0 },
};
