/*
 * lives: a stranger who may read the lifeline files in procs/ tries to keep a dead process alive by
 * locking them, to pass for it, and to stop others from living. Needs root and a directory of root's with
 * mode 1777.
 */
#include "ground.h"
#include <grp.h>
#include <sys/file.h>

enum { ALICE = 20001, MALLORY = 20003 };

static int *shared; /* [0] mallory has taken what he could; [1] he may go; [2] how many locks he has */

static void become(uid_t uid)
{
    NEED(setgroups(0, NULL) == 0 && setgid(uid) == 0 && setuid(uid) == 0, "setuid");
    /* A change of user takes it away. */
    NEED(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "PR_SET_PDEATHSIG");
}

static int claim_and_wait(void *unused)
{
    struct sigevent event;
    mqd_t mqd;

    (void)unused;
    become(ALICE);
    mqd = small_queue("/lives", O_RDWR, 0600);
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_NONE;
    NEED(mqd != (mqd_t)-1 && mq_notify(mqd, &event) == 0, "mq_notify");
    __atomic_store_n(&shared[0], 1, __ATOMIC_SEQ_CST);
    for (;;)
        pause();
}

/* Takes every lock on every lifeline that a stranger can take, by every means. */
static int mallory(void *unused)
{
    char path[4096];
    struct dirent *entry;
    DIR *stream;

    (void)unused;
    become(MALLORY);
    snprintf(path, sizeof path, "%s/procs", getenv("USIPC_DIR"));
    stream = opendir(path);
    NEED(stream, "%s", path);
    while ((entry = readdir(stream))) {
        struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
        int fd = openat(dirfd(stream), entry->d_name, O_RDONLY);

        if (entry->d_name[0] == '.' || fd == -1)
            continue;
        NEED(openat(dirfd(stream), entry->d_name, O_RDWR) == -1, "a stranger may write %s", entry->d_name);
        shared[2] += fcntl(fd, F_OFD_SETLK, &lock) == 0;
        flock(fd, LOCK_EX | LOCK_NB);
        mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    }
    __atomic_store_n(&shared[0], 2, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&shared[1], __ATOMIC_SEQ_CST))
        sleep_ms(1);
    return 0;
}

static int claim(void *unused)
{
    struct sigevent event;
    mqd_t mqd;

    (void)unused;
    become(ALICE);
    mqd = mq_open("/lives", O_RDWR);
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_NONE;
    return mqd != (mqd_t)-1 && mq_notify(mqd, &event) == 0 ? 0 : errno;
}

static void wait_for(int stage)
{
    int64_t deadline = now_ms() + 10000;

    while (__atomic_load_n(&shared[0], __ATOMIC_SEQ_CST) != stage)
        NEED(now_ms() < deadline && (sleep_ms(1), 1), "stage %d", stage);
}

static int claim_errno(void) { return WEXITSTATUS(reap(start(claim, NULL))); }

int main(void)
{
    pid_t victim, stranger;

    shared = shared_memory(4096);
    NEED(msgget(1, 0) == -1 && errno == ENOENT, "root is first");
    victim = start(claim_and_wait, NULL);
    wait_for(1);
    say("the claimant lives: %s", errno_name(claim_errno()));
    kill(victim, SIGKILL);
    reap(victim);
    stranger = start(mallory, NULL);
    wait_for(2);
    say("dead, a stranger holds %s of its locks: %s", shared[2] ? "one" : "none", errno_name(claim_errno()));
    /* The living can still register. */
    victim = start(claim_and_wait, NULL);
    wait_for(1);
    say("another claimant lives: %s", errno_name(claim_errno()));
    __atomic_store_n(&shared[1], 1, __ATOMIC_SEQ_CST);
    reap_well(stranger, "the stranger");
    say("the stranger is gone: %s", errno_name(claim_errno()));
    kill(victim, SIGKILL);
    reap(victim);
    say("dead: %s", errno_name(claim_errno()));
    return 0;
}
