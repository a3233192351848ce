/* What the programs of hostile/ share: namespaces to spoil, victims who use what was spoilt. */
#ifndef DAMAGE_H
#define DAMAGE_H

#include "ground.h"
#include <ftw.h>
#include <sys/shm.h>
#include <sys/stat.h>

#ifndef MSG_EXCEPT
#define MSG_EXCEPT 020000
#endif
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif
#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

enum { VICTIM_KEY = 0xbad, NEIGHBOUR_KEY = 0x900d, CALL_S = 5, RECEIVE_BYTES = 100, SLOT_BYTES = 64 };

#define VICTIM_NAME "/victim"
#define NEIGHBOUR_NAME "/neighbour"

/* Where a victim was when it died, in memory that outlives it. */
struct trail {
    const char *call; /* a string of this program, at the same address in all its forks */
    char wrong[160];
};

enum { HOLDER, NEWCOMER, VICTIMS };

static struct trail *trails, *trail; /* of all victims, of this one */

struct kind {
    const char *room;
    void (*make)(void);
    void (*use)(void);
};

/* Each call has this long; then the victim dies of SIGALRM, and its trail says where. */
#define CALL(expression) (trail->call = #expression, alarm(CALL_S), (expression))

__attribute__((format(printf, 1, 2))) GROUND_API void blame(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(trail->wrong, sizeof trail->wrong, format, arguments);
    va_end(arguments);
    _exit(1);
}

/* A spoilt object may give these. EFAULT, EIO or ENOSYS would be another matter. */
GROUND_API void tolerable(long result)
{
    switch (result == -1 ? errno : 0) {
    case 0: case EINVAL: case EIDRM: case EBADMSG: case EAGAIN: case ENOMSG: case E2BIG: case EMSGSIZE:
    case ENOENT: case EACCES: case EPERM: case ENOSPC: case ENOMEM: case EBADF: case EBUSY: case ETIMEDOUT:
    case EEXIST:
        return;
    default:
        blame("%s gives %s", trail->call, errno_name(errno));
    }
}

/* A buffer whose end shows whether more was written than was asked for. */
struct fenced {
    long type;
    unsigned char text[RECEIVE_BYTES];
    unsigned char fence[4096];
};

GROUND_API void check_fence(const struct fenced *buffer, long received)
{
    size_t i;

    tolerable(received);
    if (received > RECEIVE_BYTES)
        blame("%s returns %ld", trail->call, received);
    for (i = 0; i < sizeof buffer->fence; i++)
        if (buffer->fence[i] != 0xa5)
            blame("%s wrote beyond the buffer", trail->call);
}

GROUND_API void make_msg(void)
{
    static const size_t sizes[] = {0, 1, 8, 60, 100, 700};
    static struct {
        long type;
        char text[1024];
    } message;
    int id = msgget(VICTIM_KEY, IPC_CREAT | IPC_EXCL | 0600);
    size_t i;

    NEED(id != -1, "msgget");
    for (i = 0; i < LENGTH(sizes); i++) {
        message.type = 1 + (long)i % 4;
        NEED(msgsnd(id, &message, sizes[i], IPC_NOWAIT) == 0, "msgsnd");
    }
    /* Some freed, so that there is a free list to spoil. */
    NEED(msgrcv(id, &message, 1024, 2, IPC_NOWAIT) != -1, "msgrcv");
    id = msgget(NEIGHBOUR_KEY, IPC_CREAT | 0600);
    NEED(id != -1 && put_text(id, 1, "neighbour", 0) == 0, "the neighbour");
}

GROUND_API void use_msg(void)
{
    static struct fenced buffer;
    struct text_message neighbour;
    struct msqid_ds ds;
    int id, i;

    memset(buffer.fence, 0xa5, sizeof buffer.fence);
    tolerable(id = CALL(msgget(VICTIM_KEY, 0)));
    tolerable(CALL(msgctl(id, IPC_STAT, &ds)));
    tolerable(CALL(msgctl(0, MSG_STAT, &ds)));
    tolerable(CALL(msgctl(0, MSG_STAT_ANY, &ds)));
    tolerable(CALL(msgctl(0, MSG_INFO, (struct msqid_ds *)&(struct msginfo){0})));
    tolerable(CALL(put_text(id, 3, "ten bytes.", IPC_NOWAIT)));
    check_fence(&buffer, CALL(msgrcv(id, &buffer, RECEIVE_BYTES, 3, IPC_NOWAIT)));
    check_fence(&buffer, CALL(msgrcv(id, &buffer, RECEIVE_BYTES, -4, IPC_NOWAIT)));
    check_fence(&buffer, CALL(msgrcv(id, &buffer, RECEIVE_BYTES, 1, IPC_NOWAIT | MSG_EXCEPT)));
    check_fence(&buffer, CALL(msgrcv(id, &buffer, RECEIVE_BYTES, 1, IPC_NOWAIT | MSG_COPY | MSG_NOERROR)));
    check_fence(&buffer, CALL(msgrcv(id, &buffer, RECEIVE_BYTES, 0, IPC_NOWAIT | MSG_NOERROR)));
    for (i = 0; i < 40 && CALL(msgsnd(id, &(struct fenced){.type = 1 + i % 5}, (size_t)i * 97 % 600, IPC_NOWAIT)) == 0; i++)
        ;
    tolerable(i < 40 ? -1 : 0);
    memset(&ds, 0, sizeof ds);
    ds.msg_perm.mode = 0600;
    ds.msg_qbytes = 1000;
    tolerable(CALL(msgctl(id, IPC_SET, &ds)));
    for (i = 0; i < 200; i++) {
        long received = CALL(msgrcv(id, &buffer, RECEIVE_BYTES, i % 3 ? 0 : -9, IPC_NOWAIT | MSG_NOERROR));

        check_fence(&buffer, received);
        if (received == -1)
            break;
    }
    tolerable(CALL(msgctl(id, IPC_RMID, NULL)));
    id = CALL(msgget(NEIGHBOUR_KEY, 0));
    /* Another victim may have it in its hands at this moment. */
    if (CALL(msgrcv(id, &neighbour, sizeof neighbour.text, 0, 0)) != 9 || memcmp(neighbour.text, "neighbour", 9) ||
        CALL(put_text(id, 1, "neighbour", 0)) == -1)
        blame("the neighbour is spoilt too (%s)", errno_name(errno));
    tolerable(id = CALL(msgget(VICTIM_KEY, IPC_CREAT | 0600)));
}

GROUND_API mqd_t make_mq_named(const char *name)
{
    struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = SLOT_BYTES};

    return mq_open(name, O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attr);
}

static mqd_t held = (mqd_t)-1; /* open before the damage in a process that made the queue */

GROUND_API void make_mq(void)
{
    char text[SLOT_BYTES];
    unsigned i;
    mqd_t mqd = make_mq_named(NEIGHBOUR_NAME);

    held = make_mq_named(VICTIM_NAME);
    NEED(mqd != (mqd_t)-1 && mq_send(mqd, "neighbour", 9, 3) == 0, "the neighbour");
    memset(text, 'm', sizeof text);
    for (i = 0; i < 7; i++)
        NEED(mq_send(held, text, i * 9, i * 5000) == 0, "mq_send");
    NEED(mq_receive(held, text, sizeof text, NULL) != -1, "mq_receive");
}

GROUND_API void use_mq(void)
{
    static struct fenced buffer;
    struct sigevent event;
    struct mq_attr attr, old;
    char text[SLOT_BYTES];
    unsigned i, priority;
    mqd_t mqd = held;

    memset(buffer.fence, 0xa5, sizeof buffer.fence);
    if (mqd == (mqd_t)-1)
        tolerable(mqd = CALL(mq_open(VICTIM_NAME, O_RDWR | O_NONBLOCK)));
    tolerable(CALL(mq_getattr(mqd, &attr)));
    for (i = 0; i < 20; i++)
        tolerable(CALL(mq_send(mqd, "hostile", i % 8, i * 1638)));
    for (i = 0; i < 40; i++) {
        long received = CALL(mq_receive(mqd, (char *)buffer.text, RECEIVE_BYTES, &priority));

        check_fence(&buffer, received);
        if (received == -1)
            break;
    }
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_NONE;
    tolerable(CALL(mq_notify(mqd, &event)));
    tolerable(CALL(mq_notify(mqd, NULL)));
    attr.mq_flags = O_NONBLOCK;
    tolerable(CALL(mq_setattr(mqd, &attr, &old)));
    tolerable(CALL(mq_close(mqd)));
    tolerable(CALL(mq_unlink(VICTIM_NAME)));
    mqd = CALL(mq_open(NEIGHBOUR_NAME, O_RDWR));
    if (CALL(mq_receive(mqd, text, sizeof text, &priority)) != 9 || memcmp(text, "neighbour", 9) || priority != 3 ||
        CALL(mq_send(mqd, "neighbour", 9, 3)) == -1)
        blame("the neighbour is spoilt too (%s)", errno_name(errno));
    tolerable(CALL(make_mq_named(VICTIM_NAME)));
}

enum { SEGMENT_BYTES = 3 * 4096, ATTACHES = 4 };

static void *attach_neighbour(void)
{
    return shmat(CALL(shmget(NEIGHBOUR_KEY, 0, 0)), NULL, 0);
}

GROUND_API void make_shm(void)
{
    int id = shmget(VICTIM_KEY, SEGMENT_BYTES, IPC_CREAT | IPC_EXCL | 0600);
    char *memory = shmat(id, NULL, 0);

    NEED(memory != (void *)-1, "shmat");
    memset(memory, 's', SEGMENT_BYTES);
    NEED(shmat(id, NULL, SHM_RDONLY) != (void *)-1 && shmdt(memory) == 0, "attaching once more");
    NEED(shmget(NEIGHBOUR_KEY, 4096, IPC_CREAT | 0600) != -1, "the neighbour");
    memory = attach_neighbour();
    NEED(memory != (void *)-1 && strcpy(memory, "neighbour") && shmdt(memory) == 0, "the neighbour");
}

GROUND_API void use_shm(void)
{
    char *memory[ATTACHES], *neighbour;
    struct shmid_ds ds;
    int id, i;

    tolerable(id = CALL(shmget(VICTIM_KEY, 0, 0)));
    tolerable(CALL(shmctl(id, IPC_STAT, &ds)));
    tolerable(CALL(shmctl(0, SHM_STAT, &ds)));
    tolerable(CALL(shmctl(0, SHM_STAT_ANY, &ds)));
    tolerable(CALL(shmctl(0, SHM_INFO, (struct shmid_ds *)&(struct shm_info){0})));
    for (i = 0; i < ATTACHES; i++) {
        memory[i] = CALL(shmat(id, i == 3 ? memory[0] : NULL, i == 3 && memory[0] != (void *)-1 ? SHM_REMAP : 0));
        tolerable((long)memory[i]);
        if (memory[i] == (void *)-1)
            continue;
        memory[i][0] = 'u';
        memory[i][SEGMENT_BYTES - 1] = 'u';
    }
    tolerable(CALL(shmctl(id, SHM_LOCK, NULL)));
    memset(&ds, 0, sizeof ds);
    ds.shm_perm.mode = 0600;
    tolerable(CALL(shmctl(id, IPC_SET, &ds)));
    tolerable(CALL(shmctl(id, SHM_UNLOCK, NULL)));
    tolerable(CALL(shmctl(id, IPC_RMID, NULL)));
    for (i = 0; i < ATTACHES - 1; i++)
        if (memory[i] != (void *)-1 && CALL(shmdt(memory[i])) == -1)
            blame("what was attached cannot be detached (%s)", errno_name(errno));
    neighbour = attach_neighbour();
    if (neighbour == (void *)-1 || strcmp(neighbour, "neighbour") != 0 || CALL(shmdt(neighbour)) == -1)
        blame("the neighbour is spoilt too (%s)", errno_name(errno));
    tolerable(id = CALL(shmget(VICTIM_KEY, SEGMENT_BYTES, IPC_CREAT | 0600)));
}

static const struct kind kinds[] = {
    {"msg", make_msg, use_msg}, {"mq", make_mq, use_mq}, {"shm", make_shm, use_shm}};

GROUND_API const struct kind *kind_named(const char *name)
{
    size_t i;

    for (i = 0; i < LENGTH(kinds); i++)
        if (strcmp(kinds[i].room, name) == 0)
            return &kinds[i];
    WRONG("no such kind: %s", name);
}

GROUND_API int soaking(void) { return getenv("MODE") && strcmp(getenv("MODE"), "soak") == 0; }

static char namespace_path[4096];

/* A namespace of its own for the next case. No call has been made in this process yet, nor will be. */
GROUND_API void fresh_case(void)
{
    static char parent[3000];

    if (!*parent)
        snprintf(parent, sizeof parent, "%s", getenv("USIPC_DIR"));
    snprintf(namespace_path, sizeof namespace_path, "%s/case", parent);
    NEED(mkdir(namespace_path, 0700) == 0 && setenv("USIPC_DIR", namespace_path, 1) == 0, "mkdir %s", namespace_path);
}

GROUND_API int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

GROUND_API void end_case(void)
{
    NEED(nftw(namespace_path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0, "removing %s", namespace_path);
}

/* Opens the victim's file: the lowest index, or the name; the neighbour is the other. */
GROUND_API int open_object(const char *room)
{
    char path[4200];
    int fd;

    snprintf(path, sizeof path, "%s/%s/%s", namespace_path, room, strcmp(room, "mq") == 0 ? "victim" : "0");
    fd = open(path, O_RDWR | O_CLOEXEC);
    NEED(fd != -1, "%s", path);
    return fd;
}

/* Reaps a victim that must have ended well; 1 if not, with a line that begins with `what`. */
GROUND_API int victim_died(pid_t pid, int who, const char *what)
{
    int status = reap(pid);
    const struct trail *left = &trails[who];

    if (status == 0)
        return 0;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        say("%s: no answer in %d s from %s", what, CALL_S, left->call);
    else
        say("%s: %s in %s %s", what, status_text(status), left->call, left->wrong);
    return 1;
}

/* Makes the queue in a child; with `hold` the child stays, and uses it when `*go` is closed. */
GROUND_API pid_t start_maker(const struct kind *kind, int hold, int *go)
{
    int ready[2], let_go[2];
    char byte;
    pid_t pid;

    NEED(pipe2(ready, O_CLOEXEC) == 0 && pipe2(let_go, O_CLOEXEC) == 0, "pipe");
    pid = fork_bound();
    if (pid == 0) {
        trail = &trails[HOLDER];
        close(let_go[1]);
        kind->make();
        NEED(write(ready[1], "r", 1) == 1, "write");
        if (hold && read(let_go[0], &byte, 1) == 0)
            kind->use();
        _exit(0);
    }
    close(let_go[0]);
    close(ready[1]);
    NEED(read(ready[0], &byte, 1) == 1, "the maker of the queue failed");
    close(ready[0]);
    *go = let_go[1];
    return pid;
}

/* Makes the queue in a child that is gone when this returns. */
GROUND_API void make_and_leave(const struct kind *kind)
{
    int go;
    pid_t pid = start_maker(kind, 0, &go);

    close(go);
    reap_well(pid, "the maker");
}

/* A process that meets the queue for the first time. */
GROUND_API pid_t start_newcomer(void (*use)(void))
{
    pid_t pid = fork_bound();

    if (pid == 0) {
        trail = &trails[NEWCOMER];
        use();
        _exit(0);
    }
    return pid;
}

#endif
