/* What libc's calls offer, whoever serves them: POSIX queues, System V queues, sets and segments. */
#define _GNU_SOURCE
#include "system.h"
#include <fcntl.h>
#include <mqueue.h>
#include <sys/msg.h>
#include <sys/shm.h>

/* What objects are called by: /usipc-bench.<serial>.<number>, or a key. */
#define NAME_PREFIX "/usipc-bench."
enum { KEY_BASE = 0x55000001 };

enum { MQ_DEFAULT_SLOTS = 10, MQ_DEFAULT_SIZE = 8192, MSG_DEFAULT_BYTES = 16384, RANKS = 32768 };

static key_t key_of(int number) { return number == PRIVATE ? IPC_PRIVATE : KEY_BASE + (job.serial << 16) + number; }

static const char *name_of(int number)
{
    static char name[40];

    snprintf(name, sizeof name, NAME_PREFIX "%d.%d", job.serial, number);
    return name;
}

static long mq_make_of(int number, long slots, size_t size)
{
    struct mq_attr attr = { .mq_maxmsg = slots ? slots : MQ_DEFAULT_SLOTS,
                            .mq_msgsize = slots ? (long)size : size > MQ_DEFAULT_SIZE ? (long)size : MQ_DEFAULT_SIZE };
    mqd_t queue = mq_open(name_of(number), O_RDWR | O_CREAT | O_EXCL, 0600, &attr);

    if (queue == (mqd_t)-1 && errno == EMFILE)
        die("mq_open: over RLIMIT_MSGQUEUE or RLIMIT_NOFILE");
    need(queue != (mqd_t)-1, "mq_open");
    return queue;
}

static long mq_make(int number) { return mq_make_of(number, 0, 0); }
static long mq_make_small(int number) { return mq_make_of(number, 1, 64); }

static void mq_find(int number)
{
    mqd_t queue = mq_open(name_of(number), O_RDWR);

    need(queue != (mqd_t)-1 && mq_close(queue) == 0, "mq_open, mq_close");
}

static void mq_stat(long queue)
{
    struct mq_attr attr;

    need(mq_getattr(queue, &attr) == 0, "mq_getattr");
}

static void mq_destroy(long queue, int number)
{
    need(mq_close(queue) == 0 && mq_unlink(name_of(number)) == 0, "mq_close, mq_unlink");
}

static void mq_send_one(long queue, struct message *message, size_t size, long rank)
{
    need(mq_send(queue, message->text, size, rank) == 0, "mq_send");
}

/* The room must be that of the queue's largest, whatever the message is: the scenes' buffers have it. */
static void mq_receive_one(long queue, struct message *message, size_t room)
{
    need(mq_receive(queue, message->text, room < MQ_DEFAULT_SIZE ? MQ_DEFAULT_SIZE : room, NULL) != -1, "mq_receive");
}

static long msg_make(int number)
{
    int queue = msgget(key_of(number), IPC_CREAT | IPC_EXCL | 0600);

    need(queue != -1, "msgget");
    return queue;
}

/*
 * Queues made from now on hold so many bytes. IPC_SET could not raise them where root lacks CAP_SYS_RESOURCE;
 * usipc reads its limits at the first call, which is yet to come.
 */
void set_msgmnb(unsigned long bytes)
{
    char text[30];
    FILE *file;

    if (bytes <= MSG_DEFAULT_BYTES)
        return;
    snprintf(text, sizeof text, "%lu", bytes);
    setenv("USIPC_MSGMNB", text, 1);
    if (!getenv("USIPC_BENCH_OWN_NAMESPACE"))
        return;
    file = fopen("/proc/sys/kernel/msgmnb", "w");
    need(file && fputs(text, file) >= 0 && fclose(file) == 0, "/proc/sys/kernel/msgmnb");
}

static long msg_make_of(int number, long slots, size_t size)
{
    set_msgmnb((slots ? slots : 1) * size);
    return msg_make(number);
}

static void msg_find(int number) { need(msgget(key_of(number), 0) != -1, "msgget"); }

static void msg_stat(long queue)
{
    struct msqid_ds status;

    need(msgctl(queue, IPC_STAT, &status) == 0, "msgctl IPC_STAT");
}

static void msg_destroy(long queue, int number)
{
    (void)number;
    need(msgctl(queue, IPC_RMID, NULL) == 0, "msgctl IPC_RMID");
}

static void msg_send_one(long queue, struct message *message, size_t size, long rank)
{
    message->type = rank + 1;
    need(msgsnd(queue, message, size, 0) == 0, "msgsnd");
}

static void msg_receive_one(long queue, struct message *message, size_t room)
{
    need(msgrcv(queue, message, room, 0, 0) != -1, "msgrcv");
}

static long sem_make(int number)
{
    int set = semget(key_of(number), 1, IPC_CREAT | IPC_EXCL | 0600);

    need(set != -1, "semget");
    return set;
}

static long sem_make_of(int semaphores)
{
    int set = semget(key_of(0), semaphores, IPC_CREAT | IPC_EXCL | 0600);

    need(set != -1, "semget");
    return set;
}

static void sem_find(int number) { need(semget(key_of(number), 0, 0) != -1, "semget"); }

static void sem_stat(long set)
{
    struct semid_ds status;
    union semun argument = { .buf = &status };

    need(semctl(set, 0, IPC_STAT, argument) == 0, "semctl IPC_STAT");
}

static void sem_destroy_of(long set, int number)
{
    (void)number;
    need(semctl(set, 0, IPC_RMID) == 0, "semctl IPC_RMID");
}

static void sem_down(long set, int semaphore)
{
    struct sembuf operation = { semaphore, -1, 0 };

    need(semop(set, &operation, 1) == 0, "semop");
}

static void sem_up(long set, int semaphore)
{
    struct sembuf operation = { semaphore, 1, 0 };

    need(semop(set, &operation, 1) == 0, "semop");
}

static long shm_make(int number)
{
    int segment = shmget(key_of(number), 4096, IPC_CREAT | IPC_EXCL | 0600);

    need(segment != -1, "shmget");
    return segment;
}

static void shm_find(int number) { need(shmget(key_of(number), 0, 0) != -1, "shmget"); }

static void shm_stat(long segment)
{
    struct shmid_ds status;

    need(shmctl(segment, IPC_STAT, &status) == 0, "shmctl IPC_STAT");
}

static void shm_destroy(long segment, int number)
{
    (void)number;
    need(shmctl(segment, IPC_RMID, NULL) == 0, "shmctl IPC_RMID");
}

static const struct kind mq_kind = { "mq", mq_make, mq_make_small, mq_find, mq_stat, mq_destroy, 0 };
static const struct kind msg_kind = { "msg", msg_make, msg_make, msg_find, msg_stat, msg_destroy, 1 };
static const struct kind sem_kind = { "sem", sem_make, sem_make, sem_find, sem_stat, sem_destroy_of, 1 };
static const struct kind shm_kind = { "shm", shm_make, shm_make, shm_find, shm_stat, shm_destroy, 1 };
static const struct channel mq_channel = { &mq_kind, RANKS, mq_make_of, mq_send_one, mq_receive_one };
static const struct channel msg_channel = { &msg_kind, 1, msg_make_of, msg_send_one, msg_receive_one };
static const struct door sem_door = { &sem_kind, sem_make_of, sem_down, sem_up };

const struct kind *const kinds[] = { &mq_kind, &msg_kind, &sem_kind, &shm_kind, NULL };
const struct channel *const channels[] = { &mq_channel, &msg_channel, NULL };
const struct door *const doors[] = { &sem_door, NULL };
const struct scene *const loose_scenes = system_scenes;
