/*
 * cut KIND: an object's file is cut short, at every length that matters, while this process has it mapped and
 * a thread of it sleeps there. Every call gives an errno, or what it would have given, within a second
 * or two; nobody dies. The file's full length comes back afterwards, so that a mapping that has lost its
 * memory is told from one that never touched it.
 *     KIND  msg, mq, sem, shm
 */
#include "ground.h"
#include <pthread.h>
#include <sys/sem.h>
#include <sys/shm.h>

enum { KEY = 0xc07 };

static const char *kind;
static int id;
static mqd_t mqd;
static char path[4096];

static int is(const char *name) { return strcmp(kind, name) == 0; }

static void make(void)
{
    struct mq_attr attr = {.mq_maxmsg = 8, .mq_msgsize = 6000};
    struct text_message message = {.type = 1};

    snprintf(path, sizeof path, "%s/%s", getenv("USIPC_DIR"), is("mq") ? "mq/cut" : "");
    if (is("msg"))
        id = msgget(KEY, IPC_CREAT | 0600);
    else if (is("sem"))
        id = semget(KEY, 600, IPC_CREAT | 0600);
    else if (is("shm"))
        id = shmget(KEY, 4096, IPC_CREAT | 0600);
    else
        mqd = mq_open("/cut", O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attr);
    NEED(id != -1 && mqd != (mqd_t)-1, "making the object");
    if (!is("mq"))
        snprintf(path, sizeof path, "%s/%s/%d", getenv("USIPC_DIR"), kind, id & 0x7fff);
    if (is("msg"))
        NEED(msgsnd(id, &message, TEXT_BYTES, 0) == 0, "msgsnd");
    if (is("mq"))
        NEED(mq_send(mqd, "text", 4, 7) == 0, "mq_send");
}

static void *sleeper(void *unused)
{
    struct text_message message;
    struct sembuf op = {599, -1, SEM_UNDO};

    (void)unused;
    if (is("msg"))
        msgrcv(id, &message, TEXT_BYTES, 99, 0);
    else if (is("sem"))
        semop(id, &op, 1);
    return NULL;
}

/* A result, or an errno that a manual page of these calls has. */
static void told(const char *call, long result)
{
    static const int known[] = {EINVAL, EIDRM, EBADMSG, EAGAIN, ENOMSG, EACCES, ENOENT, ENOMEM, ENOSPC, EEXIST};
    size_t i;

    for (i = 0; result == -1 && i < LENGTH(known) && known[i] != errno; i++)
        ;
    NEED(i < LENGTH(known), "%s gave %s", call, errno_name(errno));
}

static void all_calls(void)
{
    static char room[6000];
    struct text_message message = {.type = 2};
    struct sembuf one = {0, 1, 0}, undone[2] = {{1, 1, SEM_UNDO}, {400, 1, SEM_UNDO}};
    unsigned short values[600] = {0};
    struct msqid_ds queue;
    struct semid_ds set;
    struct shmid_ds segment;
    struct mq_attr attr;
    void *address;

    if (is("msg")) {
        told("msgsnd", msgsnd(id, &message, TEXT_BYTES, IPC_NOWAIT));
        told("msgrcv", msgrcv(id, &message, TEXT_BYTES, 0, IPC_NOWAIT));
        told("msgrcv", msgrcv(id, &message, TEXT_BYTES, -5, IPC_NOWAIT | MSG_NOERROR));
        told("IPC_STAT", msgctl(id, IPC_STAT, &queue));
        told("msgget", msgget(KEY, 0));
    } else if (is("sem")) {
        told("semop", semop(id, &one, 1));
        told("semop of two", semop(id, undone, 2));
        told("GETVAL", semctl(id, 599, GETVAL));
        told("SETVAL", semctl(id, 300, SETVAL, 5));
        told("GETALL", semctl(id, 0, GETALL, values));
        told("SETALL", semctl(id, 0, SETALL, values));
        told("GETNCNT", semctl(id, 599, GETNCNT));
        told("IPC_STAT", semctl(id, 0, IPC_STAT, &set));
        told("semget", semget(KEY, 0, 0));
    } else if (is("shm")) {
        address = shmat(id, NULL, 0);
        told("shmat", address == (void *)-1 ? -1 : 0);
        if (address != (void *)-1)
            told("shmdt", shmdt(address));
        told("IPC_STAT", shmctl(id, IPC_STAT, &segment));
        told("shmget", shmget(KEY, 0, 0));
    } else {
        told("mq_send", mq_send(mqd, room, sizeof room, 3));
        told("mq_receive", mq_receive(mqd, room, sizeof room, NULL));
        told("mq_getattr", mq_getattr(mqd, &attr));
        told("mq_notify", mq_notify(mqd, NULL));
    }
}

static int cut_to(void *length)
{
    struct stat before;
    pthread_t thread;

    make();
    NEED(stat(path, &before) == 0, "%s", path);
    NEED(pthread_create(&thread, NULL, sleeper, NULL) == 0, "pthread_create");
    usleep(20000);
    NEED(truncate(path, *(off_t *)length) == 0, "truncate");
    NEED(!is("shm") || shmat(id, NULL, 0) == (void *)-1, "contents that are not there have been attached");
    all_calls();
    NEED(truncate(path, before.st_size) == 0, "truncate");
    all_calls();
    if (is("msg"))
        told("IPC_RMID", msgctl(id, IPC_RMID, NULL));
    else if (is("sem"))
        told("IPC_RMID", semctl(id, 0, IPC_RMID));
    else if (is("shm"))
        told("IPC_RMID", shmctl(id, IPC_RMID, NULL));
    pthread_join(thread, NULL);
    unlink(path);
    return 0;
}

int main(int argc, char **argv)
{
    static off_t lengths[] = {0, 192, 4095, 4096, 8192, 16384, 24576, 28672, 65536, 1 << 20};
    size_t i;

    NEED(argc == 2, "usage: cut KIND");
    kind = argv[1];
    for (i = 0; i < LENGTH(lengths); i++) {
        int status;
        pid_t pid = fork_bound();

        if (pid == 0)
            _exit(cut_to(&lengths[i]));
        status = reap(pid);
        NEED(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s cut to %ld bytes: %s", kind, (long)lengths[i],
             status_text(status));
    }
    return 0;
}
