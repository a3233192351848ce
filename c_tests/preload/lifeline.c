/*
 * lifeline MODE: a process's claims end with its life, whoever lives on: its children, its exec'd image,
 * its zombie. The claim is mq_notify(3)'s, which only one process at a time may hold (EBUSY).
 */
#include "ground.h"
#include <sys/syscall.h>

enum { BY_FORK, BY_CLONE, USES_QUEUES = 2 };

static const char NAME_[] = "/claim";
static int *shared; /* [0] the bystander's process id, [1] go */

static mqd_t open_claim(void)
{
    mqd_t mqd = small_queue(NAME_, O_RDWR, 0600);

    NEED(mqd != (mqd_t)-1, "mq_open");
    return mqd;
}

static int claim(mqd_t mqd)
{
    struct sigevent event;

    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR1;
    return mq_notify(mqd, &event);
}

/* Tries to claim from a process of its own, which lets go again by ending. */
static int try_claim(void *unused)
{
    (void)unused;
    return claim(mq_open(NAME_, O_RDWR)) == 0 ? 0 : errno;
}

static void say_claim(const char *when)
{
    int status = reap(start(try_claim, NULL));

    say("%s: another process's mq_notify gives %s", when, errno_name(WEXITSTATUS(status)));
}

/* A child that outlives its parent; with USES_QUEUES it has registered for itself before. */
static void bystander(int how)
{
    pid_t pid = how & BY_CLONE ? (pid_t)syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L) : fork();

    if (pid == 0) {
        if (how & USES_QUEUES) {
            int msqid = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

            if (msqid == -1 || put_text(msqid, 1, "child", 0) == -1 || msgctl(msqid, IPC_RMID, NULL) == -1)
                _exit(1);
        }
        __atomic_store_n(&shared[0], (int)getpid(), __ATOMIC_SEQ_CST);
        while (!__atomic_load_n(&shared[1], __ATOMIC_SEQ_CST))
            sleep_ms(2);
        _exit(0);
    }
}

/* The parent in the story: claims, leaves a child behind, and waits to be killed. */
static int parent(void *how)
{
    NEED(claim(open_claim()) == 0, "mq_notify");
    bystander(*(int *)how);
    for (;;)
        pause();
}

/* The child outlives its parent, and comes to us, the subreaper, to be waited for. */
static void end_bystander(void)
{
    __atomic_store_n(&shared[1], 1, __ATOMIC_SEQ_CST);
    reap_well(shared[0], "the bystander");
}

static int survived_by(int how)
{
    pid_t pid;

    open_claim();
    pid = start(parent, &how);
    while (!__atomic_load_n(&shared[0], __ATOMIC_SEQ_CST))
        sleep_ms(1);
    say_claim("parent and child live");
    kill(pid, SIGKILL);
    while (waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT) == -1 && errno == EINTR)
        ;
    say("the bystander is %s", kill(shared[0], 0) == 0 ? "alive" : "gone");
    say_claim("parent is a zombie");
    reap(pid);
    say_claim("parent is gone");
    end_bystander();
    NEED(mq_unlink(NAME_) == 0, "mq_unlink");
    return 0;
}

static int mode_fork(void) { return survived_by(BY_FORK); }
static int mode_clone(void) { return survived_by(BY_CLONE); }
static int mode_fork_uses(void) { return survived_by(BY_FORK | USES_QUEUES); }
static int mode_clone_uses(void) { return survived_by(BY_CLONE | USES_QUEUES); }

static int claim_and_exec(void *unused)
{
    mqd_t mqd = open_claim();

    (void)unused;
    NEED(claim(mqd) == 0, "mq_notify");
    execl("/proc/self/exe", "lifeline", "exec-image", (char *)NULL);
    return 99;
}

/* exec ends the claim (the descriptor is close-on-exec) though the process goes on. */
static int mode_exec(void)
{
    pid_t pid;
    int64_t start_ms = now_ms();
    struct mq_attr attr;
    mqd_t mqd = open_claim();

    pid = start(claim_and_exec, NULL);
    do
        NEED(mq_getattr(mqd, &attr) == 0 && now_ms() - start_ms < 10000, "the new image says nothing");
    while (attr.mq_curmsgs == 0 && (sleep_ms(1), 1));
    say_claim("its process runs another program");
    kill(pid, SIGKILL);
    say("the other program: %s", status_text(reap(pid)));
    NEED(mq_unlink(NAME_) == 0, "mq_unlink");
    return 0;
}

static int mode_exec_image(void)
{
    mqd_t mqd = mq_open(NAME_, O_RDWR);

    NEED(mqd != (mqd_t)-1 && mq_send(mqd, "here", 4, 0) == 0, "mq_send");
    for (;;)
        pause();
}

/* What a child does to its parent's claim by its own doings: nothing. */
static int fiddle(void *mqd)
{
    mqd_t inherited = *(mqd_t *)mqd;

    say("child: mq_notify %s", outcome(claim(inherited)));
    say("child: mq_notify(NULL) %s", outcome(mq_notify(inherited, NULL)));
    say("child: mq_close %s", outcome(mq_close(inherited)));
    return 0;
}

static int mode_child_ends(void)
{
    mqd_t mqd = open_claim();

    NEED(claim(mqd) == 0, "mq_notify");
    reap_well(start(fiddle, &mqd), "the child");
    say_claim("after the child's close and end");
    say("parent: mq_notify(NULL) %s", outcome(mq_notify(mqd, NULL)));
    say_claim("after the parent let go");
    NEED(mq_unlink(NAME_) == 0, "mq_unlink");
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {
        {"fork", mode_fork},           {"clone", mode_clone},
        {"fork-uses", mode_fork_uses}, {"clone-uses", mode_clone_uses},
        {"exec", mode_exec},           {"exec-image", mode_exec_image},
        {"child-ends", mode_child_ends},
    };

    signal(SIGUSR1, SIG_IGN);
    NEED(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "PR_SET_CHILD_SUBREAPER");
    shared = shared_memory(4096);
    return run_mode(modes, LENGTH(modes), argc > 1 ? argv[1] : NULL);
}
