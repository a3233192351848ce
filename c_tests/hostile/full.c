/*
 * full MODE: a file system without room. USIPC_DIR lies on a small tmpfs of its own. Every lack of room
 * is an errno of the call that needs it, never a SIGBUS later; what was accepted is delivered; with room
 * again, everything works again.
 */
#include "ground.h"
#include <pthread.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <sys/shm.h>

enum { MOST = 400, MESSAGE = 8000 };

static const char *directory;

static void filler_path(char *path) { sprintf(path, "%s/filler", directory); }

/* Takes all that is left of the file system. */
static void fill(void)
{
    static char block[4096];
    char path[4200];
    int fd;

    filler_path(path);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    NEED(fd != -1, "open %s", path);
    memset(block, 'f', sizeof block);
    while (write(fd, block, sizeof block) > 0)
        ;
    NEED(errno == ENOSPC, "filling the file system");
    close(fd);
}

static void empty(void)
{
    char path[4200];

    filler_path(path);
    NEED(unlink(path) == 0, "unlink %s", path);
}

static const char *name_of(int i)
{
    static char name[32];

    sprintf(name, "/full-%d", i);
    return name;
}

/* As many default-sized POSIX queues as there is room for. */
static int make_mqs(mqd_t *mqd)
{
    struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = 8192};
    int made;

    for (made = 0; made < MOST; made++) {
        mqd[made] = mq_open(name_of(made), O_CREAT | O_EXCL | O_RDWR | O_NONBLOCK, 0600, &attr);
        if (mqd[made] == (mqd_t)-1)
            break;
    }
    NEED(made < MOST && errno == ENOSPC, "mq_open without room, after %d queues", made);
    return made;
}

/* What mq_open gave room to has it: to the last byte. */
static void use_to_the_brim(const mqd_t *mqd, int count)
{
    static char text[8192];
    int i, k;

    for (i = 0; i < count; i++) {
        memset(text, 'a' + i % 26, sizeof text);
        for (k = 0; k < 10; k++)
            NEED(mq_send(mqd[i], text, sizeof text, (unsigned)k) == 0, "message %d to queue %d", k, i);
        NEED(mq_send(mqd[i], text, 1, 0) == -1 && errno == EAGAIN, "a message too many");
    }
    for (i = 0; i < count; i++)
        for (k = 0; k < 10; k++) {
            NEED(mq_receive(mqd[i], text, sizeof text, NULL) == sizeof text, "message %d of queue %d", k, i);
            NEED(text[0] == 'a' + i % 26 && text[8191] == text[0], "message %d of queue %d is another", k, i);
        }
}

static void remove_mqs(const mqd_t *mqd, int count)
{
    int i;

    for (i = 0; i < count; i++)
        NEED(mq_close(mqd[i]) == 0 && mq_unlink(name_of(i)) == 0, "removing queue %d", i);
}

static int mode_mq(void)
{
    static mqd_t mqd[MOST];
    int first, second;

    first = make_mqs(mqd);
    say("%d queues fit", first);
    NEED(first >= 2, "only %d queues fit into 1 MiB", first);
    use_to_the_brim(mqd, first);
    remove_mqs(mqd, first);
    second = make_mqs(mqd);
    errno = 0;
    NEED(second == first, "%d queues fit, before it were %d", second, first);
    remove_mqs(mqd, second);
    return 0;
}

static int make_msgs(int *id)
{
    int made;

    for (made = 0; made < MOST; made++) {
        id[made] = msgget(made + 1, IPC_CREAT | IPC_EXCL | 0600);
        if (id[made] == -1)
            break;
    }
    NEED(made < MOST && (errno == ENOSPC || errno == ENOMEM), "msgget without room, after %d queues", made);
    return made;
}

static int mode_msg(void)
{
    static int id[MOST];
    int first, second, i;

    fill();
    first = make_msgs(id);
    say("full: %d queues", first);
    /* One that came into being can be used, or says that it has no room. */
    for (i = 0; i < first; i++)
        NEED(put_text(id[i], 1, "x", IPC_NOWAIT) == 0 || errno == ENOMEM, "msgsnd to queue %d", i);
    for (i = 0; i < first; i++)
        NEED(msgctl(id[i], IPC_RMID, NULL) == 0, "IPC_RMID");
    empty();
    NEED(queues_in_use() == 0, "%d queues left", queues_in_use());
    first = make_msgs(id);
    say("with room: %d queues", first);
    NEED(first >= 20, "only %d queues fit into 1 MiB", first);
    for (i = 0; i < first; i++)
        NEED(msgctl(id[i], IPC_RMID, NULL) == 0, "IPC_RMID number %d", i);
    second = make_msgs(id);
    NEED(second == first, "%d queues fit, before it were %d", second, first);
    for (i = 0; i < second; i++)
        NEED(msgctl(id[i], IPC_RMID, NULL) == 0, "IPC_RMID number %d", i);
    return 0;
}

struct big {
    long type;
    char text[MESSAGE];
};

static int send_until_refused(int id, int from, int flags)
{
    static struct big message;
    int sent;

    for (sent = from; sent < MOST; sent++) {
        message.type = 1 + sent % 3;
        memset(message.text, 'a' + sent % 26, sizeof message.text);
        if (msgsnd(id, &message, sizeof message.text, flags) == -1)
            break;
    }
    return sent;
}

static void receive_all(int id, int from, int to)
{
    static struct big message;

    for (; from < to; from++) {
        NEED(msgrcv(id, &message, sizeof message.text, 0, IPC_NOWAIT) == MESSAGE, "message %d", from);
        NEED(message.type == 1 + from % 3 && message.text[0] == 'a' + from % 26, "message %d is another", from);
        NEED(message.text[MESSAGE - 1] == message.text[0], "message %d is torn", from);
    }
    NEED(msgrcv(id, &message, sizeof message.text, 0, IPC_NOWAIT) == -1 && errno == ENOMSG, "one message too many");
}

/* A queue that must grow, with USIPC_MSGMNB beyond the file system's size. */
static int mode_grow(void)
{
    int id = msgget(7, IPC_CREAT | 0600), full, more;

    NEED(id != -1, "msgget");
    fill();
    full = send_until_refused(id, 0, IPC_NOWAIT);
    NEED(full < MOST && errno == ENOMEM, "msgsnd without room");
    /* It does not wait for room either: nobody would wake it. */
    alarm(10);
    NEED(send_until_refused(id, full, 0) == full && errno == ENOMEM, "msgsnd without room, blocking");
    alarm(0);
    NEED(put_text(id, 9, "small", IPC_NOWAIT) == 0 || errno == ENOMEM, "a small one");
    msgrcv(id, &(struct text_message){0}, TEXT_BYTES, 9, IPC_NOWAIT);
    empty();
    more = send_until_refused(id, full, IPC_NOWAIT);
    say("%d messages without room, %d with it", full, more);
    NEED(more > full + 20 && errno == ENOMEM, "msgsnd with room");
    receive_all(id, 0, more);
    full = send_until_refused(id, 0, IPC_NOWAIT);
    NEED(full >= more - 1, "a second time only %d", full);
    receive_all(id, 0, full);
    NEED(msgctl(id, IPC_RMID, NULL) == 0, "IPC_RMID");
    return 0;
}

/* The first call ever finds no room at all; the same process goes on when there is. */
static int mode_first(void)
{
    int id;
    mqd_t mqd;

    fill();
    id = msgget(7, IPC_CREAT | 0600);
    NEED(id == -1 ? errno == ENOSPC || errno == ENOMEM : put_text(id, 1, "x", IPC_NOWAIT) == 0 || errno == ENOMEM, "msgget");
    mqd = small_queue("/first", O_RDWR, 0600);
    NEED(mqd == (mqd_t)-1 && errno == ENOSPC, "mq_open");
    empty();
    id = msgget(7, IPC_CREAT | 0600);
    NEED(id != -1 && put_text(id, 1, "room", 0) == 0, "msgget with room");
    say_msgrcv("with room", id, 1, IPC_NOWAIT);
    mqd = small_queue("/first", O_RDWR, 0600);
    NEED(mqd != (mqd_t)-1 && mq_send(mqd, "room", 4, 0) == 0, "mq_open with room");
    say_mq_receive("with room", mqd);
    return 0;
}

/* Room for bytes, but none for another file. */
static int mode_inodes(void)
{
    static int id[MOST];
    int made, named, i;
    mqd_t mqd;

    NEED(msgget(1000, 0) == -1 && errno == ENOENT, "the first call");
    made = make_msgs(id);
    say("%d queues", made);
    /* A queue with a key takes two, so that one may be left. */
    for (named = 0; named < 3; named++)
        if (small_queue(name_of(named), O_RDWR, 0600) == (mqd_t)-1)
            break;
    NEED(named < 3 && errno == ENOSPC, "mq_open without an inode");
    for (i = 0; i < made; i++)
        NEED(put_text(id[i], 1, "x", IPC_NOWAIT) == 0 && msgctl(id[i], IPC_RMID, NULL) == 0, "queue %d", i);
    NEED(queues_in_use() == 0, "%d queues left", queues_in_use());
    mqd = small_queue("/inodes", O_RDWR, 0600);
    NEED(mqd != (mqd_t)-1 && mq_send(mqd, "x", 1, 0) == 0 && mq_unlink("/inodes") == 0, "mq_open with an inode");
    return 0;
}

/* Segments: what cannot be held is refused, unless it is not to be reserved; what is removed makes room. */
static int mode_shm(void)
{
    const size_t half = 512 << 10;
    char *memory;
    int id, i;

    NEED(shmget(IPC_PRIVATE, 2 << 20, 0600) == -1 && errno == ENOMEM, "more than the file system holds");
    id = shmget(IPC_PRIVATE, (size_t)1 << 40, SHM_NORESERVE | 0600);
    NEED(id != -1 && shmctl(id, IPC_RMID, NULL) == 0, "a tebibyte without a reservation");
    for (i = 0; i < 8; i++) {
        id = shmget(IPC_PRIVATE, half, 0600);
        memory = shmat(id, NULL, 0);
        NEED(memory != (void *)-1, "half of it, time %d", i);
        memset(memory, 'x', half);
        NEED(shmget(IPC_PRIVATE, half, 0600) == -1 && errno == ENOMEM, "more than half of it is taken");
        NEED(shmctl(id, IPC_RMID, NULL) == 0 && shmdt(memory) == 0, "removing it");
    }
    fill();
    id = shmget(IPC_PRIVATE, 4096, 0600);
    NEED(id == -1 && errno == ENOMEM, "a full file system");
    NEED(shmget(IPC_PRIVATE, 4096, SHM_NORESERVE | 0600) == -1 && errno == ENOMEM, "not even its header");
    empty();
    NEED((id = shmget(IPC_PRIVATE, 4096, 0600)) != -1 && shmctl(id, IPC_RMID, NULL) == 0, "with room");
    return 0;
}

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;

    NEED(getrlimit(RLIMIT_FSIZE, &limit) == 0, "getrlimit");
    limit.rlim_cur = bytes;
    NEED(setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
}

/* What the caller's own file size limit forbids is an errno, not SIGXFSZ. Nothing is said while the limit
 * holds: standard output may be a file. */
static int mode_fsize(void)
{
    static const rlim_t limits[] = {0, 1, 1000, 4096, 8192, 20000, 60000, 100000};
    size_t i;

    for (i = 0; i < LENGTH(limits); i++) {
        struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = 8192};
        const char *got, *ended = "not tried", *opened;
        int id, sent = 0;
        mqd_t mqd;

        limit_file_size(limits[i]);
        id = msgget(7, IPC_CREAT | 0600);
        got = outcome(id);
        if (id != -1) {
            sent = send_until_refused(id, 0, IPC_NOWAIT);
            ended = errno_name(errno);
        }
        mqd = mq_open("/fsize", O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attr);
        opened = outcome(mqd);
        if (mqd != (mqd_t)-1)
            mq_send(mqd, "x", 1, 0);
        limit_file_size(RLIM_INFINITY);
        say("limit %ld: msgget %s, %d messages, then %s; mq_open %s", (long)limits[i], got, sent, ended, opened);
        NEED(strcmp(got, "E?") != 0 && strcmp(ended, "E?") != 0 && strcmp(opened, "E?") != 0, "a strange errno");
        if (mqd != (mqd_t)-1)
            NEED(mq_close(mqd) == 0 && mq_unlink("/fsize") == 0, "mq_unlink");
        id = msgget(7, IPC_CREAT | 0600);
        NEED(id != -1 && (sent > 0 || put_text(id, 1, "x", 0) == 0), "without a limit");
        NEED(msgctl(id, IPC_RMID, NULL) == 0, "IPC_RMID");
    }
    return 0;
}

static sem_t *new_semaphore(void) { return sem_open("/full", O_CREAT | O_EXCL | O_RDWR, 0600, 1); }

/* A semaphore has its memory before it has its name; shared memory gets it as it is written. */
static int mode_psem(void)
{
    char path[4200];
    sem_t *sem = new_semaphore();
    int fd;

    NEED(sem != SEM_FAILED && sem_close(sem) == 0 && sem_unlink("/full") == 0, "with room");
    sprintf(path, "%s/psem/sparse", directory);
    fill();
    NEED(new_semaphore() == SEM_FAILED && errno == ENOSPC, "sem_open without room");
    NEED(sem_open("/full", 0) == SEM_FAILED && errno == ENOENT, "a semaphore without memory has a name");
    fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    NEED(fd != -1 && ftruncate(fd, sizeof(sem_t)) == 0, "a sparse file");
    NEED(sem_open("/sparse", 0) == SEM_FAILED && errno == ENOSPC, "sem_open of a sparse file without room");
    fd = shm_open("/full", O_CREAT | O_RDWR, 0600);
    NEED(fd != -1 && ftruncate(fd, 1 << 20) == 0 && write(fd, "x", 1) == -1 && errno == ENOSPC, "shm_open");
    empty();
    sem = sem_open("/sparse", 0);
    NEED(sem != SEM_FAILED && sem_post(sem) == 0 && sem_wait(sem) == 0, "the sparse file with room");
    limit_file_size(sizeof(sem_t) - 1);
    sem = new_semaphore();
    NEED(sem == SEM_FAILED && errno == EFBIG, "sem_open of a file that may not be so long");
    limit_file_size(RLIM_INFINITY);
    sem = new_semaphore();
    NEED(sem != SEM_FAILED && sem_wait(sem) == 0, "with room again");
    return 0;
}

/* A thread that sleeps until a message comes, or until the queue is removed: a process would need room for itself. */
struct receiver {
    pthread_t thread;
    int id;
    mqd_t mqd;
    ssize_t got;
    int error;
};

static void *sleeper(void *argument)
{
    struct receiver *r = argument;
    struct { long type; char text[64]; } message;

    r->got = r->id != -1 ? msgrcv(r->id, &message, sizeof message.text, 0, 0)
                         : mq_receive(r->mqd, message.text, sizeof message.text, NULL);
    r->error = errno;
    return NULL;
}

static void let_sleep(struct receiver *r, int id, mqd_t mqd)
{
    r->id = id;
    r->mqd = mqd;
    NEED(pthread_create(&r->thread, NULL, sleeper, r) == 0, "pthread_create");
    usleep(300000);
}

static void has_ended(struct receiver *r, ssize_t got, int error)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    NEED(pthread_timedjoin_np(r->thread, NULL, &until) == 0, "sleeps still");
    NEED(r->got == got && (got != -1 || r->error == error), "%zd, %s", r->got, strerror(r->error));
}

/* Waiting takes memory in the queue's file; where there is none, one waits nevertheless. */
static int mode_sleep(void)
{
    struct { long type; char text[64]; } message = {.type = 1};
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 64};
    int id = msgget(IPC_PRIVATE, 0600), other = msgget(IPC_PRIVATE, 0600), turn;
    mqd_t mqd = mq_open("/full", O_CREAT | O_RDWR, 0600, &attr);
    struct receiver r;

    NEED(id != -1 && other != -1 && mqd != (mqd_t)-1, "with room");
    for (turn = 0; turn < 2; turn++) {
        if (turn == 0)
            fill();
        let_sleep(&r, id, -1);
        NEED(msgsnd(id, &message, 64, 0) == 0, "msgsnd, turn %d", turn);
        has_ended(&r, 64, 0);
        let_sleep(&r, -1, mqd);
        NEED(mq_send(mqd, message.text, 64, 0) == 0, "mq_send, turn %d", turn);
        has_ended(&r, 64, 0);
        if (turn == 0)
            empty();
    }
    fill();
    let_sleep(&r, other, -1);
    NEED(msgctl(other, IPC_RMID, NULL) == 0, "IPC_RMID");
    has_ended(&r, -1, EIDRM);
    NEED(msgctl(id, IPC_RMID, NULL) == 0 && mq_close(mqd) == 0 && mq_unlink("/full") == 0, "the end");
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {
        {"mq", mode_mq},       {"msg", mode_msg},       {"grow", mode_grow},
        {"first", mode_first}, {"inodes", mode_inodes}, {"fsize", mode_fsize},
        {"psem", mode_psem},   {"shm", mode_shm},       {"sleep", mode_sleep},
    };

    directory = getenv("USIPC_DIR");
    return run_mode(modes, LENGTH(modes), argc > 1 ? argv[1] : NULL);
}
