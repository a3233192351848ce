/*
 * foreign MODE: what other users put into a shared namespace. Needs root and a directory of root's with mode 1777.
 *     modes KIND   an object's file is mallory's, with every mode there is, and its contents say that all is
 *                  allowed: alice may use it exactly where the kernel lets her read and write it
 *     creator      mallory enters himself as the creator of root's queue: root's IPC_SET does not let him in for that
 *     signals      mallory writes a registration for notification into a queue: root, who sends, signals nobody
 */
#include "damage.h"
#include <grp.h>
#include <sys/sem.h>

enum { ALICE = 20001, MALLORY = 20003, MODES = 01000, BYTES = 1 << 16 };
enum { CUID_AT = 40, MODE_AT = 48 }; /* in the common header (region/header.rs) */

static const char *kind;
static char path[4096];
static struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 16};

static int is(const char *name) { return strcmp(kind, name) == 0; }

static void become(uid_t uid)
{
    NEED(setgroups(0, NULL) == 0 && setgid(uid) == 0 && setuid(uid) == 0, "setuid");
    NEED(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "PR_SET_PDEATHSIG");
}

static int make(void *unused)
{
    int id = 0;

    (void)unused;
    become(MALLORY);
    umask(0);
    if (is("msg"))
        id = msgget(VICTIM_KEY, IPC_CREAT | 0666);
    else if (is("sem"))
        id = semget(VICTIM_KEY, 3, IPC_CREAT | 0666);
    else if (is("shm"))
        id = shmget(VICTIM_KEY, 4096, IPC_CREAT | 0666);
    else
        id = mq_open("/victim", O_CREAT | O_RDWR | O_NONBLOCK, 0666, &attr);
    NEED(id != -1 && (!is("msg") || put_text(id, 1, "mallory's", 0) == 0), "making");
    NEED(!is("mq") || mq_send(id, "mallory's", 9, 1) == 0, "mq_send");
    return 0;
}

/* A call of each sort that looks, and of each that changes: 1 if one was done, else their errno is right. */
static int try_all(void)
{
    char text[16];
    int id, done = 0;
    void *memory;

    if (is("msg")) {
        id = CALL(msgget(VICTIM_KEY, 0));
        done |= CALL(msgrcv(id, &(struct text_message){0}, TEXT_BYTES, 0, IPC_NOWAIT | MSG_NOERROR)) != -1;
        done |= CALL(put_text(id, 1, "alice's", IPC_NOWAIT)) != -1;
        done |= CALL(msgctl(id, IPC_STAT, &(struct msqid_ds){0})) != -1;
    } else if (is("sem")) {
        id = CALL(semget(VICTIM_KEY, 0, 0));
        done |= CALL(semop(id, &(struct sembuf){1, 1, 0}, 1)) != -1;
        done |= CALL(semctl(id, 1, GETVAL)) != -1;
    } else if (is("shm")) {
        id = CALL(shmget(VICTIM_KEY, 0, 0));
        memory = CALL(shmat(id, NULL, 0));
        done |= memory != (void *)-1;
        if (memory != (void *)-1)
            strcpy(memory, "alice's");
    } else {
        id = CALL(mq_open("/victim", O_RDWR | O_NONBLOCK));
        done |= CALL(mq_receive(id, text, sizeof text, NULL)) != -1;
        done |= CALL(mq_send(id, "alice's", 7, 2)) != -1;
    }
    tolerable(done ? 0 : -1);
    return done;
}

static int alice(void *unused)
{
    (void)unused;
    become(ALICE);
    return 100 + try_all();
}

static void contents(char *bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    NEED(fd != -1 && pread(fd, bytes, BYTES, 0) > 4096, "%s", path);
    close(fd);
}

static int mode_modes(void)
{
    static char before[BYTES], after[BYTES];
    unsigned mode, all = 0777;
    int fd, status, may;

    reap_well(start(make, NULL), "mallory");
    snprintf(path, sizeof path, "%s/%s/%s", getenv("USIPC_DIR"), kind, is("mq") ? "victim" : "0");
    fd = open(path, O_RDWR | O_CLOEXEC);
    NEED(fd != -1 && pwrite(fd, &all, sizeof all, MODE_AT) == sizeof all, "%s", path);
    for (mode = 0; mode < MODES; mode++) {
        NEED(fchmod(fd, mode) == 0, "fchmod");
        contents(before);
        status = reap(start(alice, NULL));
        NEED(WIFEXITED(status) && WEXITSTATUS(status) >= 100, "mode %o: %s in %s %s", mode, status_text(status), trail->call, trail->wrong);
        contents(after);
        may = (mode & 06) == 06;
        NEED(WEXITSTATUS(status) == 100 + may, "mode %o: alice %s", mode, may ? "is kept out" : "gets in");
        NEED(may || memcmp(before, after, BYTES) == 0, "mode %o: changed by alice, who may not", mode);
    }
    return 0;
}

/* ---- creator ---- */

static int enter_himself(void *unused)
{
    unsigned ids[] = {MALLORY, MALLORY};
    int fd;

    (void)unused;
    become(MALLORY);
    fd = open(path, O_RDWR | O_CLOEXEC);
    NEED(fd != -1 && pwrite(fd, ids, sizeof ids, CUID_AT) == sizeof ids, "%s", path);
    return 0;
}

static int get_in(void *unused)
{
    (void)unused;
    become(MALLORY);
    return open(path, O_RDWR | O_CLOEXEC) != -1;
}

static int mode_creator(void)
{
    struct msqid_ds ds;
    int id = msgget(VICTIM_KEY, IPC_CREAT | 0666);

    snprintf(path, sizeof path, "%s/msg/%d", getenv("USIPC_DIR"), id & 0x7fff);
    NEED(id != -1 && msgctl(id, IPC_STAT, &ds) == 0, "msgget");
    reap_well(start(enter_himself, NULL), "mallory");
    ds.msg_perm.mode = 0600;
    NEED(msgctl(id, IPC_SET, &ds) == 0, "IPC_SET");
    NEED(reap(start(get_in, NULL)) == 0, "who called himself the creator gets in");
    return 0;
}

/* ---- signals ---- */

/* As queue/layout.rs has it. */
struct registration {
    uint64_t token, value;
    uint32_t pid, how, signal, watched, turn, sender_pid, sender_uid, due;
    uint64_t pid_namespace;
};

static int idle(void *unused)
{
    (void)unused;
    pause();
    return 0;
}

static int claim(void *ready)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGCHLD};
    mqd_t mqd;

    become(MALLORY);
    umask(0);
    mqd = mq_open("/victim", O_CREAT | O_RDWR | O_NONBLOCK, 0666, &attr);
    event.sigev_value.sival_ptr = (void *)0x5ca1ab1e5eedbedULL;
    NEED(mqd != (mqd_t)-1 && mq_notify(mqd, &event) == 0, "mq_notify");
    NEED(write(*(int *)ready, "r", 1) == 1, "write");
    pause();
    return 0;
}

static int send_as_root(void *unused)
{
    mqd_t mqd = mq_open("/victim", O_RDWR | O_NONBLOCK);

    (void)unused;
    NEED(mqd != (mqd_t)-1 && mq_send(mqd, "text", 4, 1) == 0, "mq_send");
    return 0;
}

static int mode_signals(void)
{
    static char bytes[4096];
    uint64_t mark = 0x5ca1ab1e5eedbedULL;
    struct registration *claimed = NULL;
    int ready[2], fd, status;
    pid_t target, mallory;
    size_t i;
    char byte;

    NEED(msgget(1, 0) == -1 && errno == ENOENT && pipe(ready) == 0, "root is first");
    target = start(idle, NULL);
    mallory = start(claim, &ready[1]);
    NEED(read(ready[0], &byte, 1) == 1, "mallory");
    snprintf(path, sizeof path, "%s/mq/victim", getenv("USIPC_DIR"));
    fd = open(path, O_RDWR | O_CLOEXEC);
    NEED(fd != -1 && pread(fd, bytes, sizeof bytes, 0) == sizeof bytes, "%s", path);
    for (i = 0; i + sizeof *claimed < sizeof bytes && !claimed; i += 8)
        if (memcmp(bytes + i + 8, &mark, 8) == 0)
            claimed = (struct registration *)(bytes + i);
    NEED(claimed && claimed->pid == (uint32_t)mallory && claimed->signal == SIGCHLD, "the registration is not where it was");
    claimed->pid = (uint32_t)target;
    claimed->signal = SIGKILL;
    NEED(pwrite(fd, claimed, sizeof *claimed, (char *)claimed - bytes) == sizeof *claimed, "pwrite");
    reap_well(start(send_as_root, NULL), "root");
    sleep_ms(50);
    NEED(waitpid(target, &status, WNOHANG) == 0, "root has killed whom mallory wanted: %s", status_text(status));
    kill(target, SIGKILL), kill(mallory, SIGKILL);
    reap(target), reap(mallory);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {{"modes", mode_modes}, {"creator", mode_creator}, {"signals", mode_signals}};

    NEED(argc > 1, "usage: foreign MODE [KIND]");
    kind = argc > 2 ? argv[2] : "mq";
    trail = shared_memory(sizeof *trail);
    return run_mode(modes, LENGTH(modes), argv[1]);
}
