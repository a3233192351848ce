/*
 * limits MODE: (usipc) a limit is met: each call says so with an errno that its page has, what was there
 * before goes on working, and once there is room again all is as it was.
 *     files      no descriptor is left (RLIMIT_NOFILE)
 *     machine    the machine has no open file left (ENFILE, which a filter gives: others live here too)
 *     size       no file may grow (RLIMIT_FSIZE); no SIGXFSZ comes
 *     memory     nothing more can be mapped (RLIMIT_AS)
 *     read_only  DIRECTORY is read-only for now
 */
#include "ground.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <semaphore.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

enum { PAGE = 4096, KEY = 0x11f, SEGMENT = 1 << 20 };

union semun {
    int val;
};

static int set, segment, queue;
static sem_t *psem;
static char *memory;

static void make_before(void)
{
    set = semget(KEY, 2, IPC_CREAT | 0600);
    segment = shmget(KEY, SEGMENT, IPC_CREAT | 0600);
    queue = msgget(KEY, IPC_CREAT | 0600);
    psem = sem_open("/limits", O_CREAT, 0600, 0);
    memory = shmat(segment, NULL, 0);
    NEED(set != -1 && queue != -1 && psem != SEM_FAILED && memory != (void *)-1, "the objects");
    NEED(semctl(set, 0, SETVAL, (union semun){.val = 3}) == 0, "SETVAL");
    memory[5] = 'm';
}

/* What is mapped needs nothing more. */
static void use_before(void)
{
    struct sembuf take = {0, -1, SEM_UNDO}, give = {0, 1, SEM_UNDO};
    int value;

    NEED(semop(set, &take, 1) == 0 && semop(set, &give, 1) == 0 && semctl(set, 0, GETVAL) == 3, "semop");
    NEED(sem_post(psem) == 0 && sem_wait(psem) == 0 && sem_getvalue(psem, &value) == 0 && value == 0, "sem_post");
    NEED(memory[5] == 'm', "the segment");
    NEED(put_text(queue, 1, "small", 0) == 0 && msgrcv(queue, &(struct text_message){0}, TEXT_BYTES, 0, 0) == 5, "a message");
}

struct errnos {
    int number[6];
};

/* -1 with one of these errors, or done all the same, where it does not need what is missing. */
static void expect_errno(const char *call, long result, struct errnos allowed, int must_fail)
{
    size_t i;
    int number = errno;

    if (result != -1) {
        errno = 0;
        NEED(!must_fail, "%s succeeds", call);
        return;
    }
    say("%s: %s", call, errno_name(number));
    for (i = 0; i < LENGTH(allowed.number); i++)
        if (number == allowed.number[i])
            return;
    WRONG("%s", call);
}

/* The calls that make something new, with the errors that their pages have for it. */
static void make_new(int must_fail, int extra)
{
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 16};
    sem_t *sem;

    expect_errno("msgget", msgget(IPC_PRIVATE, IPC_CREAT | 0600), (struct errnos){{ENOMEM, ENOSPC, extra}}, must_fail);
    expect_errno("semget", semget(IPC_PRIVATE, 3, IPC_CREAT | 0600), (struct errnos){{ENOMEM, ENOSPC, extra}}, must_fail);
    expect_errno("shmget", shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600), (struct errnos){{ENOMEM, ENOSPC, ENFILE, extra}}, must_fail);
    /* A queue is mapped when it is used first: without memory alone it can be made, as in the kernel. */
    expect_errno("mq_open", mq_open("/new", O_CREAT | O_RDWR, 0600, &attr), (struct errnos){{ENOMEM, ENOSPC, EMFILE, ENFILE, extra}}, must_fail && extra);
    sem = sem_open("/new", O_CREAT, 0600, 1);
    expect_errno("sem_open", sem == SEM_FAILED ? -1 : 0, (struct errnos){{ENOMEM, ENOSPC, EMFILE, ENFILE, extra}}, must_fail);
}

/* Nothing half-made is left, and all can be made. */
static void afterwards(void)
{
    static const char *const rooms[] = {"msg", "sem", "shm", "keys", "mq", "psem", "pshm"};
    size_t i;

    use_before();
    make_new(0, 0);
    NEED(shmdt(memory) == 0 && shmctl(segment, IPC_RMID, NULL) == 0 && semctl(set, 0, IPC_RMID) == 0 &&
             msgctl(queue, IPC_RMID, NULL) == 0 && sem_unlink("/limits") == 0,
         "removing");
    mq_unlink("/new");
    sem_unlink("/new");
    for (i = 0; i < LENGTH(rooms); i++)
        NEED(namespace_entries(rooms[i]) <= (i < 3), "left in %s", rooms[i]);
}

static void set_limit(int resource, rlim_t soft)
{
    struct rlimit limit;

    NEED(getrlimit(resource, &limit) == 0, "getrlimit");
    limit.rlim_cur = soft == RLIM_INFINITY ? limit.rlim_max : soft;
    NEED(setrlimit(resource, &limit) == 0, "setrlimit");
}

static int mode_files(void)
{
    make_before();
    set_limit(RLIMIT_NOFILE, 3);
    use_before();
    make_new(1, EMFILE);
    expect_errno("shm_open", shm_open("/new", O_CREAT | O_RDWR, 0600), (struct errnos){{EMFILE}}, 1);
    /* What needs no descriptor needs none. */
    NEED(shmdt(memory) == 0, "shmdt");
    set_limit(RLIMIT_NOFILE, RLIM_INFINITY);
    NEED((memory = shmat(segment, NULL, 0)) != (void *)-1, "shmat");
    afterwards();
    return 0;
}

/* From here on this process can open no file. */
static void run_out_of_files(void)
{
    static const int openers[] = {
#ifdef SYS_open
        SYS_open,
#endif
        SYS_openat, SYS_openat2, SYS_memfd_create, SYS_pipe2, SYS_socket,
    };
    struct sock_filter filter[2 * LENGTH(openers) + 2];
    struct sock_fprog program = {.len = LENGTH(filter), .filter = filter};
    size_t i;

    filter[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (i = 0; i < LENGTH(openers); i++) {
        filter[2 * i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)openers[i], 0, 1);
        filter[2 * i + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENFILE);
    }
    filter[2 * i + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
    NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "PR_SET_SECCOMP");
}

static int use_without_files(void *registered)
{
    /* A child is another process, which must register first. */
    if (registered)
        use_before();
    run_out_of_files();
    if (registered)
        use_before();
    make_new(1, ENFILE);
    expect_errno("shm_open", shm_open("/new", O_CREAT | O_RDWR, 0600), (struct errnos){{ENFILE}}, 1);
    return 0;
}

static int mode_machine(void)
{
    make_before();
    reap_well(start(use_without_files, &set), "with no open file left");
    reap_well(start(use_without_files, NULL), "a process that comes then");
    afterwards();
    return 0;
}

static int mode_size(void)
{
    make_before();
    set_limit(RLIMIT_FSIZE, 0);
    use_before();
    make_new(1, EFBIG);
    memory[SEGMENT - 1] = 'x';
    set_limit(RLIMIT_FSIZE, RLIM_INFINITY);
    afterwards();
    return 0;
}

static int mode_memory(void)
{
    make_before();
    set_limit(RLIMIT_AS, PAGE);
    use_before();
    make_new(1, 0);
    expect_errno("shmat", (long)shmat(segment, NULL, 0), (struct errnos){{ENOMEM}}, 1);
    set_limit(RLIMIT_AS, RLIM_INFINITY);
    afterwards();
    return 0;
}

static const char *directory;

static int make_and_leave(void *unused)
{
    (void)unused;
    make_before();
    return 0;
}

/* A process that comes while nothing can be changed. */
static int try_all(void *unused)
{
    struct sembuf take = {0, -1, SEM_UNDO};
    sem_t *sem;

    (void)unused;
    make_new(1, EROFS);
    set = semget(KEY, 0, 0);
    segment = shmget(KEY, 0, 0);
    expect_errno("semop", set == -1 ? -1 : semop(set, &take, 1), (struct errnos){{EROFS, EACCES}}, 1);
    expect_errno("shmat", segment == -1 ? -1 : (long)shmat(segment, NULL, 0), (struct errnos){{EROFS, EACCES}}, 1);
    sem = sem_open("/limits", 0);
    expect_errno("sem_open", sem == SEM_FAILED ? -1 : 0, (struct errnos){{EROFS, EACCES}}, 1);
    expect_errno("shm_open", shm_open("/new", O_CREAT | O_RDWR, 0600), (struct errnos){{EROFS, EACCES}}, 1);
    expect_errno("sem_unlink", sem_unlink("/limits"), (struct errnos){{EROFS, EACCES}}, 1);
    expect_errno("IPC_RMID", set == -1 ? -1 : semctl(set, 0, IPC_RMID), (struct errnos){{EROFS, EACCES}}, 1);
    return 0;
}

static int find_all_kept(void *unused)
{
    (void)unused;
    set = semget(KEY, 0, 0);
    NEED(set != -1 && semctl(set, 0, GETVAL) == 3, "the set");
    segment = shmget(KEY, 0, 0);
    memory = shmat(segment, NULL, 0);
    psem = sem_open("/limits", 0);
    queue = msgget(KEY, 0);
    NEED(memory != (void *)-1 && memory[5] == 'm' && psem != SEM_FAILED && queue != -1, "the others");
    afterwards();
    return 0;
}

/* In a mount namespace of its own, which this process, that uses nothing, makes read-only and back. */
static int mode_read_only(void)
{
    reap_well(start(make_and_leave, NULL), "making");
    NEED(mount(NULL, directory, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0, "remount");
    reap_well(start(try_all, NULL), "trying");
    NEED(mount(NULL, directory, NULL, MS_REMOUNT | MS_BIND, NULL) == 0, "remount");
    reap_well(start(find_all_kept, NULL), "using");
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {
        {"files", mode_files}, {"machine", mode_machine}, {"size", mode_size}, {"memory", mode_memory}, {"read_only", mode_read_only},
    };

    NEED(argc > 1, "usage: limits MODE");
    directory = argc > 2 ? argv[2] : NULL;
    return run_mode(modes, LENGTH(modes), argv[1]);
}
