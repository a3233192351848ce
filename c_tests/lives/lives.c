/*
 * lives MODE: processes come and go in one namespace, and use semaphores, segments and named objects.
 *     row      ten thousand, one after another
 *     crowd    a thousand at once; some are killed
 *     pids     (in a pid namespace of its own) a new process gets the pid of one that was killed
 *     wrap     likewise, because the pids begin anew
 *     threads  a program with threads forks in every way, amid their calls
 *     exec     such a program runs itself anew, while its threads sleep and hold
 *     changes  a process becomes a daemon, closes all, changes its root and its user
 *     hold, look, remove    for the shell: one holds, another looks
 */
#include "ground.h"
#include <pthread.h>
#include <semaphore.h>
#include <sched.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

enum { PAGE = 4096, KEY = 0x11fe, GUARD = 1, GO = 2, SEMS = 3 };

union semun {
    int val;
};

/* The libc may lack it (POSIX.1-2024, glibc 2.34). */
extern pid_t _Fork(void) __attribute__((weak));

static int set, segment, queue;
static sem_t *psem;
static mqd_t mqd;

static int soaking(void) { return getenv("MODE") && strcmp(getenv("MODE"), "soak") == 0; }
static int on_kernel(void) { return !getenv("USIPC_DIR"); }

static void make_all(void)
{
    set = semget(KEY, SEMS, IPC_CREAT | 0600);
    segment = shmget(KEY, PAGE, IPC_CREAT | 0600);
    queue = msgget(KEY, IPC_CREAT | 0600);
    psem = sem_open("/lives", O_CREAT, 0600, 0);
    mqd = small_queue("/lives", O_RDWR, 0600);
    NEED(set != -1 && segment != -1 && queue != -1 && psem != SEM_FAILED && mqd != (mqd_t)-1, "the objects");
}

static void remove_all(void)
{
    NEED(semctl(set, 0, IPC_RMID) == 0 && shmctl(segment, IPC_RMID, NULL) == 0 && msgctl(queue, IPC_RMID, NULL) == 0, "IPC_RMID");
    NEED(sem_unlink("/lives") == 0 && mq_unlink("/lives") == 0, "unlink");
}

static void op(int sem, int change, int flags)
{
    struct sembuf one = {(unsigned short)sem, (short)change, (short)flags};

    while (semop(set, &one, 1) == -1)
        NEED(errno == EINTR, "semop");
}

static int value(int sem) { return semctl(set, sem, GETVAL); }

static int attached(void)
{
    struct shmid_ds ds;

    NEED(shmctl(segment, IPC_STAT, &ds) == 0, "IPC_STAT");
    return (int)ds.shm_nattch;
}

static int lifelines(void)
{
    char path[4096];
    int count = -2;
    DIR *stream;

    snprintf(path, sizeof path, "%s/procs", getenv("USIPC_DIR") ? getenv("USIPC_DIR") : "/nonexistent");
    stream = opendir(path);
    if (!stream)
        return 0;
    while (readdir(stream))
        count++;
    closedir(stream);
    return count;
}

/* Everything once; what it leaves at its end is undone and detached. */
static void use_all(void)
{
    char *memory = shmat(segment, NULL, 0);
    char text[TEXT_BYTES];

    NEED(memory != (void *)-1, "shmat");
    op(0, 1, SEM_UNDO);
    NEED(put_text(queue, getpid(), "x", 0) == 0 &&
             msgrcv(queue, &(struct text_message){0}, TEXT_BYTES, getpid(), 0) == 1,
         "a message");
    NEED(mq_send(mqd, "y", 1, 0) == 0 && mq_receive(mqd, text, sizeof text, NULL) == 1, "a POSIX message");
    NEED(sem_post(psem) == 0 && sem_wait(psem) == 0, "sem_post");
    memory[1]++;
}

static int short_life(void *unused)
{
    (void)unused;
    use_all();
    return 0;
}

static void check_all_gone(void)
{
    NEED(value(0) == 0 && attached() == 0, "semaphore %d, %d attached", value(0), attached());
}

static int mode_row(void)
{
    int i, count = on_kernel() ? 500 : 10000;

    for (i = 0; i < count; i++) {
        pid_t pid = start(short_life, NULL);

        reap_well(pid, "a short life");
        if (i % 100 == 0)
            check_all_gone();
    }
    check_all_gone();
    NEED(lifelines() <= 32, "%d files for one process at a time", lifelines());
    say("%d in a row, %d lifelines", count, lifelines());
    remove_all();
    return 0;
}

/* ---- a thousand ---- */

/* More receivers than a queue has places for those who wait. */
enum { CROWD = 1000, KILLED = 300, RECEIVERS = 280 };

static int wait_in_crowd(void *receives)
{
    struct text_message message;

    NEED(shmat(segment, NULL, 0) != (void *)-1, "shmat");
    op(0, 1, SEM_UNDO);
    NEED(!receives || msgrcv(queue, &message, sizeof message.text, 0, 0) == 1, "msgrcv");
    op(GUARD, 1, 0);
    op(GO, -1, 0);
    return 0;
}

static void wait_for(int (*what)(void), int wanted, const char *name)
{
    int64_t deadline = now_ms() + 30000;

    while (what() != wanted) {
        errno = 0;
        NEED(now_ms() < deadline, "%s: %d, not %d", name, what(), wanted);
        sleep_ms(2);
    }
}

static int first_value(void) { return value(0); }
static int guard_value(void) { return value(GUARD); }

static int mode_crowd(void)
{
    static pid_t pid[CROWD];
    int i, most;

    for (i = 0; i < CROWD; i++)
        pid[i] = start(wait_in_crowd, i % 3 == 0 && i / 3 < RECEIVERS ? &set : NULL);
    wait_for(first_value, CROWD, "SEM_UNDO");
    for (i = 0; i < RECEIVERS; i++)
        NEED(put_text(queue, 1, "g", 0) == 0, "msgsnd");
    wait_for(guard_value, CROWD, "msgrcv");
    NEED(attached() == CROWD, "%d attached", attached());
    for (i = 0; i < KILLED; i++)
        NEED(kill(pid[i], SIGKILL) == 0 && WIFSIGNALED(reap(pid[i])), "SIGKILL");
    NEED(value(0) == CROWD - KILLED && attached() == CROWD - KILLED, "%d, %d attached after %d kills", value(0), attached(), KILLED);
    op(GO, CROWD - KILLED, 0);
    for (; i < CROWD; i++)
        reap_well(pid[i], "one of the crowd");
    check_all_gone();
    NEED(value(GO) == 0 && semctl(set, GO, GETNCNT) == 0, "semaphore %d, %d wait", value(GO), semctl(set, GO, GETNCNT));
    most = lifelines();
    NEED(most <= 4 * CROWD, "%d lifelines", most);
    for (i = 0; i < 200; i++)
        reap_well(start(short_life, NULL), "a short life");
    NEED(lifelines() <= most + 16, "%d lifelines, then %d", most, lifelines());
    say("%d at once: %d lifelines", CROWD, most);
    remove_all();
    return 0;
}

/* ---- the same pid ---- */

static int hold_and_wait(void *ready)
{
    struct sigevent event = {.sigev_notify = SIGEV_NONE};

    NEED(shmat(segment, NULL, 0) != (void *)-1 && mq_notify(mqd, &event) == 0, "holding");
    op(0, 1, SEM_UNDO);
    NEED(write(*(int *)ready, "r", 1) == 1, "write");
    pause();
    return 1;
}

static int take_over(void *unused)
{
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    char *memory;

    (void)unused;
    say("its semaphore %d, %d attached, mq_notify %s", value(0), attached(), outcome(mq_notify(mqd, &event)));
    op(0, 1, SEM_UNDO);
    NEED((memory = shmat(segment, NULL, 0)) != (void *)-1, "shmat");
    say("my semaphore %d, %d attached, GETPID mine %d", value(0), attached(), semctl(set, 0, GETPID) == getpid());
    return 0;
}

static int wraps; /* there are few pids, and none is skipped */

static void come_by(pid_t wanted)
{
    FILE *file = fopen("/proc/sys/kernel/ns_last_pid", "w");

    NEED(file && fprintf(file, "%d", (int)wanted - 1) > 0 && fclose(file) == 0, "ns_last_pid");
}

/* Forks until the child has this pid, which the kernel comes by again. */
static pid_t fork_as(pid_t wanted)
{
    int tries;

    for (tries = 0; tries < 2000; tries++) {
        pid_t pid;

        if (!wraps)
            come_by(wanted);
        pid = fork_bound();
        if (pid == 0 && getpid() != wanted)
            _exit(0);
        if (pid == 0 || pid == wanted)
            return pid;
        reap(pid);
    }
    WRONG("pid %d is not to be had", (int)wanted);
}

static int mode_pids(void)
{
    int ready[2], turn;
    char byte;

    NEED(pipe(ready) == 0, "pipe");
    for (turn = 0; turn < 3; turn++) {
        pid_t holder = start(hold_and_wait, &ready[1]), heir;

        NEED(read(ready[0], &byte, 1) == 1, "the holder");
        say("held: %d, %d attached", value(0), attached());
        kill(holder, SIGKILL);
        reap(holder);
        heir = fork_as(holder);
        if (heir == 0)
            _exit(take_over(NULL));
        reap_well(heir, "the heir of the pid");
        check_all_gone();
    }
    remove_all();
    return 0;
}

static int mode_wrap(void)
{
    pid_t pid;

    wraps = 1;
    /* The first 300 come only once (Linux: RESERVED_PIDS). */
    do {
        pid = fork_bound();
        if (pid == 0)
            _exit(0);
        reap(pid);
    } while (pid <= 300);
    return mode_pids();
}

/* ---- threads ---- */

static int stop;

static void *traffic(void *unused)
{
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        char *memory = shmat(segment, NULL, 0);

        NEED(memory != (void *)-1 && shmdt(memory) == 0, "shmat");
        op(1, 1, SEM_UNDO);
        op(1, -1, SEM_UNDO);
        NEED(sem_post(psem) == 0 && sem_wait(psem) == 0, "sem_post");
    }
    return unused;
}

static pid_t raw_clone(void) { return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL); }

static int mode_threads(void)
{
    pid_t (*const ways[])(void) = {fork, _Fork, raw_clone, vfork};
    pthread_t thread[3];
    int i, forks = soaking() ? 4000 : 400;

    for (i = 0; i < 3; i++)
        NEED(pthread_create(&thread[i], NULL, traffic, NULL) == 0, "pthread_create");
    for (i = 0; i < forks; i++) {
        pid_t (*make)(void) = ways[(size_t)i % LENGTH(ways)] ? ways[(size_t)i % LENGTH(ways)] : fork, pid;
        /* A vfork child may only exec. */
        if (make == vfork) {
            pid = vfork();
            if (pid == 0) {
                execl("/bin/true", "true", NULL);
                _exit(1);
            }
        } else {
            pid = make();
            if (pid == 0) {
                op(0, 1, SEM_UNDO);
                _exit(shmat(segment, NULL, 0) == (void *)-1);
            }
        }
        NEED(pid != -1, "fork %d", i % 4);
        reap_well(pid, "a child");
    }
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    check_all_gone();
    NEED(value(1) == 0, "semaphore %d", value(1));
    remove_all();
    return 0;
}

/* ---- exec ---- */

static void *sleep_in_semop(void *unused)
{
    op(GO, -1, SEM_UNDO);
    return unused;
}

static void *send_and_receive(void *unused)
{
    for (;;)
        use_all();
    return unused;
}

/* Holds a semaphore with SEM_UNDO, sleeps in one thread, uses all in others: and is another program. */
static int run_anew(void *unused)
{
    pthread_t thread;
    int i;

    (void)unused;
    op(1, 1, SEM_UNDO);
    NEED(pthread_create(&thread, NULL, sleep_in_semop, NULL) == 0, "pthread_create");
    for (i = 0; i < 2; i++)
        NEED(pthread_create(&thread, NULL, send_and_receive, NULL) == 0, "pthread_create");
    usleep((useconds_t)(getpid() % 64) * 50);
    execl("/proc/self/exe", "lives", "anew", NULL);
    return 1;
}

/* What the new image finds: what it held it still holds, nobody sleeps, nothing is locked. */
static int mode_anew(void)
{
    if (value(1) != 1 || semctl(set, GO, GETNCNT) != 0 || attached() != 0)
        WRONG("held %d, %d sleep, %d attached", value(1), semctl(set, GO, GETNCNT), attached());
    use_all();
    return 0;
}

/* Where exec came between sending and receiving, a message is left. */
static void empty_queues(void)
{
    struct timespec past = {0, 0};
    char text[TEXT_BYTES];

    while (msgrcv(queue, &(struct text_message){0}, TEXT_BYTES, 0, IPC_NOWAIT) != -1)
        ;
    while (mq_timedreceive(mqd, text, sizeof text, NULL, &past) != -1)
        ;
}

static int mode_exec(void)
{
    int i, times = on_kernel() ? 20 : soaking() ? 2000 : 100;
    int64_t begin;

    for (i = 0; i < times; i++) {
        empty_queues();
        reap_well(start(run_anew, NULL), "who runs itself anew");
        begin = now_ms();
        NEED(value(1) == 0 && attached() == 0, "held %d, %d attached", value(1), attached());
        op(GO, 1, 0);
        op(GO, -1, 0);
        NEED(now_ms() - begin < 3000, "%d ms for a semaphore that nobody holds", (int)(now_ms() - begin));
    }
    remove_all();
    return 0;
}

/* ---- what a process does to itself ---- */

static int change(void *unused)
{
    char *memory = shmat(segment, NULL, 0);
    pid_t pid;

    op(0, 1, SEM_UNDO);
    /* Of daemon(3)'s two processes the parent ends, and with it what it had adjusted; the child goes on. */
    pid = fork();
    if (pid != 0)
        return pid == -1 || WEXITSTATUS(reap(pid)) != 0;
    NEED(setsid() != -1 && chdir("/") == 0, "setsid");
    say("child: %d, %d attached", value(0), attached());
    op(0, 1, SEM_UNDO);
    closefrom(3);
    say("closefrom: %d, %d attached, semop %s", value(0), attached(), outcome(semop(set, &(struct sembuf){1, 1, SEM_UNDO}, 1)));
    NEED(chroot("/proc/self") == 0 && chdir("/") == 0, "chroot");
    say("chroot: %d, %d attached", value(0), attached());
    say("shmdt %s", outcome(shmdt(memory)));
    memory = shmat(segment, NULL, 0);
    say("shmat %s", outcome(memory == (void *)-1 ? -1 : 0));
    NEED(sem_post(psem) == 0 && sem_wait(psem) == 0, "sem_post");
    NEED(setgid(65534) == 0 && setuid(65534) == 0, "setuid");
    say("setuid: semop %s, GETVAL %s, shmat %s", outcome(semop(set, &(struct sembuf){1, 1, SEM_UNDO}, 1)), outcome(value(0)),
        outcome(shmat(segment, NULL, SHM_RDONLY) == (void *)-1 ? -1 : 0));
    say("msgsnd %s, shmdt %s", outcome(put_text(queue, 1, "x", IPC_NOWAIT)), outcome(shmdt(memory)));
    NEED(unused == NULL && sem_post(psem) == 0 && sem_wait(psem) == 0, "sem_post");
    return 0;
}

static int mode_changes(void)
{
    reap_well(start(change, NULL), "the changing");
    say("in the end: %d and %d, %d attached", value(0), value(1), attached());
    remove_all();
    return 0;
}

/* ---- for the shell: one holds, others look ---- */

static int mode_hold(void)
{
    int out = STDOUT_FILENO;

    return hold_and_wait(&out);
}

static int mode_look(void)
{
    say("%d %d", value(0), attached());
    return 0;
}

static int mode_remove(void)
{
    remove_all();
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {
        {"row", mode_row}, {"crowd", mode_crowd}, {"pids", mode_pids}, {"wrap", mode_wrap}, {"threads", mode_threads}, {"exec", mode_exec}, {"anew", mode_anew},
        {"changes", mode_changes}, {"hold", mode_hold}, {"look", mode_look}, {"remove", mode_remove},
    };

    NEED(argc > 1, "usage: lives MODE");
    make_all();
    return run_mode(modes, LENGTH(modes), argv[1]);
}
