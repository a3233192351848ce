/*
 * segments MODE [ARGUMENT]: shared memory segments under kills, threads and handlers, and what they
 * leave of memory.
 *     kills      processes die at random moments of their calls: nothing stays attached, all can be removed
 *     threads    several threads attach and detach at once; of two that detach one address, one does
 *     handlers   so does a signal handler in the midst of the program's own calls
 *     sparse     one tebibyte without a reservation: both its ends hold what is written
 *     given_back (usipc) what a removed segment took is free when its last attacher was killed, though
 *                others have looked at it and still live
 *     limits SIZE...  (sizes in bytes) what IPC_INFO says, and how segments of these sizes come out
 *     count N    how the Nth segment and the one after it come out
 */
#include "ground.h"
#include <pthread.h>
#include <sys/shm.h>

enum { PAGE = 4096, KEYS = 4, WORKERS = 4, THREADS = 4, BIG = 8 << 20 };

static unsigned long long seed = 88172645463325252ULL;

static unsigned random_below(unsigned end)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % end;
}

static struct shmid_ds status_of(int id)
{
    struct shmid_ds ds;

    NEED(shmctl(id, IPC_STAT, &ds) == 0, "IPC_STAT");
    return ds;
}

static int segments_in_use(void)
{
    struct shm_info info;

    NEED(shmctl(0, SHM_INFO, (struct shmid_ds *)&info) != -1, "SHM_INFO");
    return info.used_ids;
}

/* Others work on the same segments: a call may find one removed, and nothing else. */
static void expect_gone(const char *call)
{
    NEED(errno == EINVAL || errno == EIDRM || errno == ENOENT || errno == EEXIST, "%s", call);
}

static void work_on(int key)
{
    struct shmid_ds ds;
    char *memory;
    int id = shmget(key, 3 * PAGE, (random_below(4) ? 0 : IPC_CREAT) | 0600);
    pid_t pid;

    if (id == -1) {
        expect_gone("shmget");
        return;
    }
    memory = shmat(id, NULL, random_below(8) ? 0 : SHM_RDONLY);
    if (memory == (void *)-1) {
        expect_gone("shmat");
        return;
    }
    if (random_below(8) == 0 && shmctl(id, IPC_RMID, NULL) == -1)
        expect_gone("IPC_RMID");
    /* Attached: it stays, whoever removes it. */
    NEED(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_nattch >= 1, "IPC_STAT of what is attached");
    if (random_below(8) == 0) {
        NEED((pid = fork()) != -1, "fork");
        if (pid == 0)
            _exit(shmdt(memory) == 0 || errno == EINVAL ? 0 : 1);
        waitpid(pid, NULL, 0);
    }
    if (random_below(4))
        NEED(shmdt(memory) == 0, "shmdt");
}

static int worker(void *argument)
{
    int attachments;

    seed += (unsigned long long)getpid() * 2654435761u;
    (void)argument;
    for (attachments = 0; attachments < 500; attachments++)
        work_on(1 + (int)random_below(KEYS));
    return 0;
}

static int mode_kills(void)
{
    int64_t end = now_ms() + (getenv("MODE") && strcmp(getenv("MODE"), "soak") == 0 ? 60000 : 3000);
    pid_t pid[WORKERS] = {0};
    int i, kills = 0;

    while (now_ms() < end) {
        i = (int)random_below(WORKERS);
        if (pid[i] != 0) {
            int status;

            kill(pid[i], SIGKILL);
            status = reap(pid[i]);
            errno = 0;
            NEED(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL), "a worker: %s",
                 status_text(status));
            kills++;
        }
        pid[i] = start(worker, NULL);
        usleep(random_below(3000));
    }
    for (i = 0; i < WORKERS; i++)
        if (pid[i] != 0) {
            kill(pid[i], SIGKILL);
            reap(pid[i]);
        }
    /* The workers' children end by themselves, on a busy machine late. */
    for (i = 0; i < 100 && segments_in_use() > KEYS; i++)
        sleep_ms(50);
    sleep_ms(50);
    for (i = 1; i <= KEYS; i++) {
        int id = shmget(i, 3 * PAGE, IPC_CREAT | 0600);
        char *memory;

        NEED(id != -1, "shmget of key %d", i);
        NEED(status_of(id).shm_nattch == 0, "%d attached to nobody", (int)status_of(id).shm_nattch);
        memory = shmat(id, NULL, 0);
        NEED(memory != (void *)-1, "shmat");
        memory[3 * PAGE - 1] = 1;
        NEED(status_of(id).shm_nattch == 1 && shmctl(id, IPC_RMID, NULL) == 0 && shmdt(memory) == 0, "the end");
    }
    NEED(kills > 10, "only %d kills", kills);
    for (i = 0; i < 100 && segments_in_use() != 0; i++)
        sleep_ms(50);
    NEED(segments_in_use() == 0, "%d segments left", segments_in_use());
    NEED(namespace_entries("shm") == 0 && namespace_entries("keys") == 0, "something is left behind");
    return 0;
}

static int shared_id;
static void *contested;
static pthread_barrier_t barrier;
static int detached;

static void *attach_and_detach(void *argument)
{
    int i;

    (void)argument;
    for (i = 0; i < 500; i++) {
        char *a = shmat(shared_id, NULL, 0), *b = shmat(shared_id, NULL, SHM_RDONLY);

        NEED(a != (void *)-1 && b != (void *)-1 && a != b, "shmat");
        __atomic_fetch_add((int *)a, 1, __ATOMIC_RELAXED);
        NEED(shmdt(a) == 0 && shmdt(b) == 0, "shmdt");
    }
    for (i = 0; i < 200; i++) {
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
            detached = 0;
            NEED((contested = shmat(shared_id, NULL, 0)) != (void *)-1, "shmat");
        }
        pthread_barrier_wait(&barrier);
        if (shmdt(contested) == 0)
            __atomic_fetch_add(&detached, 1, __ATOMIC_RELAXED);
        else
            NEED(errno == EINVAL, "shmdt of what another thread detaches");
        pthread_barrier_wait(&barrier);
        NEED(detached == 1, "%d threads have detached one address", detached);
    }
    return NULL;
}

static int mode_threads(void)
{
    pthread_t thread[THREADS];
    char *memory;
    int i;

    NEED((shared_id = shmget(IPC_PRIVATE, PAGE, 0600)) != -1, "shmget");
    NEED(pthread_barrier_init(&barrier, NULL, THREADS) == 0, "barrier");
    for (i = 0; i < THREADS; i++)
        NEED(pthread_create(&thread[i], NULL, attach_and_detach, NULL) == 0, "pthread_create");
    for (i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    NEED(status_of(shared_id).shm_nattch == 0, "%d left", (int)status_of(shared_id).shm_nattch);
    NEED((memory = shmat(shared_id, NULL, 0)) != (void *)-1, "shmat");
    NEED(*(int *)memory == THREADS * 500, "%d written", *(int *)memory);
    return shmctl(shared_id, IPC_RMID, NULL) == 0 && shmdt(memory) == 0 ? 0 : 1;
}

static volatile sig_atomic_t handled;

static void on_signal(int number)
{
    int saved = errno;
    char *memory = shmat(shared_id, NULL, 0);

    (void)number;
    NEED(memory != (void *)-1, "shmat in a handler");
    memory[1]++;
    NEED(shmdt(memory) == 0, "shmdt in a handler");
    handled++;
    errno = saved;
}

static int mode_handlers(void)
{
    struct itimerspec often = {{0, 300000}, {0, 300000}};
    int64_t end = now_ms() + 1000;
    timer_t timer;

    NEED((shared_id = shmget(IPC_PRIVATE, PAGE, 0600)) != -1, "shmget");
    NEED(signal(SIGALRM, on_signal) != SIG_ERR && timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0 &&
             timer_settime(timer, 0, &often, NULL) == 0,
         "the timer");
    while (now_ms() < end) {
        char *memory = shmat(shared_id, NULL, 0);

        NEED(memory != (void *)-1 && shmdt(memory) == 0, "shmat and shmdt");
    }
    timer_delete(timer);
    errno = 0;
    NEED(handled > 100, "only %d signals", (int)handled);
    NEED(status_of(shared_id).shm_nattch == 0, "%d left", (int)status_of(shared_id).shm_nattch);
    return shmctl(shared_id, IPC_RMID, NULL) == 0 ? 0 : 1;
}

static int mode_sparse(void)
{
    const size_t bytes = (size_t)1 << 40;
    int id = shmget(IPC_PRIVATE, bytes, SHM_NORESERVE | 0600);
    char *memory;

    NEED(id != -1 && status_of(id).shm_segsz == bytes, "shmget");
    NEED((memory = shmat(id, NULL, 0)) != (void *)-1, "shmat");
    NEED(shmctl(id, IPC_RMID, NULL) == 0, "IPC_RMID");
    memory[0] = 'a';
    memory[bytes - 1] = 'z';
    NEED(shmdt(memory) == 0 && shmctl(id, IPC_STAT, &(struct shmid_ds){0}) == -1, "the end");
    return 0;
}

/* A file of the namespace's shm/, open: what it takes can be seen when its name is gone. */
static int open_segment(int id)
{
    char path[4200];
    int fd;

    snprintf(path, sizeof path, "%s/shm/%d", getenv("USIPC_DIR"), id & 32767);
    NEED((fd = open(path, O_RDONLY | O_CLOEXEC)) != -1, "%s", path);
    return fd;
}

static long kibibytes(int fd)
{
    struct stat st;

    NEED(fstat(fd, &st) == 0, "fstat");
    return (long)st.st_blocks / 2;
}

static int attach_and_wait(void *argument)
{
    char *memory = shmat(shared_id, NULL, 0);

    NEED(memory != (void *)-1, "shmat");
    memset(memory, 1, BIG);
    NEED(write(*(int *)argument, "r", 1) == 1, "write");
    pause();
    return 1;
}

static int look_and_wait(void *argument)
{
    NEED(status_of(shared_id).shm_segsz == BIG && write(*(int *)argument, "r", 1) == 1, "looking");
    pause();
    return 1;
}

static int mode_given_back(void)
{
    int ready[2], fd, other;
    pid_t holder, onlooker;
    char byte;

    NEED((shared_id = shmget(5, BIG, IPC_CREAT | 0600)) != -1 && pipe(ready) == 0, "shmget");
    holder = start(attach_and_wait, &ready[1]);
    onlooker = start(look_and_wait, &ready[1]);
    NEED(read(ready[0], &byte, 1) == 1 && read(ready[0], &byte, 1) == 1, "the two");
    fd = open_segment(shared_id);
    NEED(kibibytes(fd) >= BIG / 1024, "it takes only %ld KiB", kibibytes(fd));
    NEED(shmctl(shared_id, IPC_RMID, NULL) == 0, "IPC_RMID");
    NEED(kibibytes(fd) >= BIG / 1024, "gone while it is attached");
    kill(holder, SIGKILL);
    reap(holder);
    /* Whoever makes a segment next looks round. */
    NEED((other = shmget(IPC_PRIVATE, PAGE, 0600)) != -1, "shmget");
    errno = 0;
    NEED(kibibytes(fd) <= 8, "it still takes %ld KiB", kibibytes(fd));
    NEED(shmctl(shared_id, IPC_STAT, &(struct shmid_ds){0}) == -1 && errno == EINVAL, "it is still there");
    NEED(shmctl(other, IPC_RMID, NULL) == 0 && namespace_entries("shm") == 0, "the end");
    kill(onlooker, SIGKILL);
    reap(onlooker);
    return 0;
}

static char **words;

static int mode_limits(void)
{
    struct shminfo info;

    NEED(shmctl(0, IPC_INFO, (struct shmid_ds *)&info) != -1, "IPC_INFO");
    say("shmmax %lu shmmin %lu shmmni %lu shmseg %lu shmall %lu", info.shmmax, info.shmmin, info.shmmni,
        info.shmseg, info.shmall);
    for (; *words; words++)
        say("%s: %s", *words, outcome(shmget(IPC_PRIVATE, strtoull(*words, NULL, 10), SHM_NORESERVE | 0600)));
    return 0;
}

static int mode_count(void)
{
    int i, first = -1, id = -1;

    for (i = 0; i < atoi(*words); i++) {
        id = shmget(IPC_PRIVATE, PAGE, 0600);
        if (i == 0)
            first = id;
    }
    say("the last: %s", outcome(id));
    say("one more: %s", outcome(shmget(IPC_PRIVATE, PAGE, 0600)));
    say("one goes: %s", outcome(shmctl(first, IPC_RMID, NULL)));
    say("again: %s", outcome(shmget(IPC_PRIVATE, PAGE, 0600)));
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {
        {"kills", mode_kills},   {"threads", mode_threads},       {"handlers", mode_handlers},
        {"sparse", mode_sparse}, {"given_back", mode_given_back}, {"limits", mode_limits},
        {"count", mode_count},
    };

    NEED(argc > 1, "usage: segments MODE");
    words = argv + 2;
    return run_mode(modes, LENGTH(modes), argv[1]);
}
