/*
 * named MODE: POSIX semaphores and shared memory objects where glibc's have no counterpart to compare
 * with: where the files are, and threads, handlers, forks and cancellations at the worst moments.
 */
#include "ground.h"
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <sys/time.h>

enum { UNTOUCHED = 4242, THREADS = 4 };

static const char *path_of(const char *room, const char *name)
{
    static char path[4200];

    snprintf(path, sizeof path, "%s/%s%s", getenv("USIPC_DIR"), room, name);
    return path;
}

static sem_t *keep(const char *name)
{
    sem_t *sem = sem_open(name, O_CREAT, 0600, 0);

    NEED(sem != SEM_FAILED, "sem_open");
    return sem;
}

/* In the namespace, and not where glibc has them. */
static int mode_places(void)
{
    struct stat st;
    sem_t *sem;
    int fd;

    errno = UNTOUCHED;
    sem = sem_open("/usipc-places", O_CREAT | O_EXCL, 0600, 3);
    NEED(sem != SEM_FAILED && errno == UNTOUCHED, "making a semaphore");
    fd = shm_open("/usipc-places", O_CREAT | O_EXCL | O_RDWR, 0600);
    NEED(fd != -1 && errno == UNTOUCHED, "making shared memory");
    NEED(access("/dev/shm/sem.usipc-places", F_OK) == -1 && access("/dev/shm/usipc-places", F_OK) == -1,
         "there are files in /dev/shm");
    NEED(stat(path_of("psem", "/usipc-places"), &st) == 0, "no file of the semaphore");
    NEED(st.st_size == sizeof(sem_t) && st.st_blocks > 0 && st.st_nlink == 1, "the file of the semaphore");
    NEED(stat(path_of("pshm", "/usipc-places"), &st) == 0 && st.st_size == 0, "no file of the memory");
    errno = UNTOUCHED;
    NEED(sem_open("/usipc-places", 0) == sem && errno == UNTOUCHED, "opening again");
    NEED(sem_close(sem) == 0 && sem_close(sem) == 0 && sem_unlink("/usipc-places") == 0 &&
             shm_unlink("/usipc-places") == 0 && errno == UNTOUCHED, "the end of it");
    NEED(namespace_entries("psem") == 0 && namespace_entries("pshm") == 0, "something is left");
    return 0;
}

/* A queue whose descriptor was closed behind the library's back, and its number for shared memory. */
static int mode_number(void)
{
    mqd_t mqd = small_queue("/q", O_RDWR | O_NONBLOCK, 0600);
    char text[TEXT_BYTES];
    int fd;

    NEED(mqd != (mqd_t)-1 && mq_send(mqd, "x", 1, 0) == 0, "mq_open");
    syscall(SYS_close, mqd);
    fd = shm_open("/usipc-number", O_CREAT | O_RDONLY, 0600);
    NEED(fd == mqd, "got the number %d instead of %d", fd, mqd);
    NEED((fcntl(fd, F_GETFL) & ~0100000) == (O_RDONLY | O_NOFOLLOW), "its flags are %o", fcntl(fd, F_GETFL));
    NEED(mq_receive(fd, text, sizeof text, NULL) == -1 && errno == EBADF, "it is taken for a queue");
    NEED(close(fd) == 0 && fcntl(fd, F_GETFD) == -1, "close");
    NEED(shm_unlink("/usipc-number") == 0 && mq_unlink("/q") == 0, "unlink");
    return 0;
}

static int stop;
static int rounds;

static int open_and_close(sem_t *kept)
{
    sem_t *sem = sem_open("/usipc-kept", 0), *other = sem_open("/usipc-other", O_CREAT, 0600, 0);

    return sem != kept || other == SEM_FAILED || sem_post(other) != 0 || sem_close(sem) != 0 || sem_close(other) != 0;
}

static void *opens(void *kept)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        NEED(!open_and_close(kept), "open and close in a thread");
        __atomic_fetch_add(&rounds, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void start_threads(pthread_t *thread, sem_t *kept)
{
    for (int i = 0; i < THREADS; i++)
        NEED(pthread_create(&thread[i], NULL, opens, kept) == 0, "pthread_create");
    while (__atomic_load_n(&rounds, __ATOMIC_RELAXED) == 0)
        sleep_ms(1);
}

static void end_threads(pthread_t *thread)
{
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++)
        NEED(pthread_join(thread[i], NULL) == 0, "pthread_join");
}

static int grandchild(void *kept) { return open_and_close(kept); }

static int child(void *kept)
{
    alarm(20);
    for (int i = 0; i < 5; i++)
        if (open_and_close(kept))
            return 1;
    reap_well(start(grandchild, kept), "the grandchild");
    return sem_close(kept) == 0 ? 0 : 2;
}

/* Whatever the parent's other threads were doing, a child finds the table free and whole. */
static int mode_forks(void)
{
    pthread_t thread[THREADS];
    sem_t *kept = keep("/usipc-kept");
    int64_t end = now_ms() + 4000;

    start_threads(thread, kept);
    while (now_ms() < end)
        reap_well(start(child, kept), "the child");
    end_threads(thread);
    NEED(sem_close(kept) == 0 && sem_close(kept) == -1, "the count of the kept one");
    return 0;
}

static sem_t *handlers;

static void handler(int number)
{
    int saved = errno;

    (void)number;
    NEED(!open_and_close(handlers), "open and close in a handler");
    rounds++;
    errno = saved;
}

/* The handler calls what it interrupts. */
static int mode_handler(void)
{
    struct sigaction action = {.sa_handler = handler};
    struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};

    handlers = keep("/usipc-kept");
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    while (rounds < 3000)
        NEED(!open_and_close(handlers), "open and close");
    setitimer(ITIMER_REAL, &never, NULL);
    return 0;
}

static void *cancelled_anywhere(void *kept)
{
    int old;

    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
    for (;;) {
        sem_t *sem = sem_open("/usipc-kept", 0);
        if (sem != kept)
            WRONG("sem_open in the thread");
        sem_close(sem);
    }
}

/* A thread that is cancelled at any instruction leaves nothing locked. */
static int mode_cancel(void)
{
    sem_t *kept = keep("/usipc-kept");

    for (int i = 0; i < 300; i++) {
        pthread_t thread;
        NEED(pthread_create(&thread, NULL, cancelled_anywhere, kept) == 0, "pthread_create");
        usleep((useconds_t)(i * 7 % 500));
        NEED(pthread_cancel(thread) == 0 && pthread_join(thread, NULL) == 0, "pthread_cancel");
        NEED(!open_and_close(kept), "open and close after a cancellation");
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {
        {"places", mode_places}, {"number", mode_number}, {"forks", mode_forks},
        {"handler", mode_handler}, {"cancel", mode_cancel},
    };

    return run_mode(modes, LENGTH(modes), argc > 1 ? argv[1] : NULL);
}
