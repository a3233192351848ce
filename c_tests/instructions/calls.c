/*
 * calls NAME N: a hot path N times, with what it needs to be one (a message to receive, a unit to take), for an
 * emulator to count the instructions within.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

enum { SIZE = 64 };

static int failed(const char *call)
{
    perror(call);
    return 1;
}

static int posix_queue(long n)
{
    struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = SIZE };
    mqd_t queue = mq_open("/instructions", O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
    char text[SIZE] = "";

    if (queue == (mqd_t)-1)
        return failed("mq_open");
    while (n-- > 0)
        if (mq_send(queue, text, SIZE, 0) == -1 || mq_receive(queue, text, SIZE, NULL) != SIZE)
            return failed("mq_send, mq_receive");
    return 0;
}

static int system_v_queue(long n)
{
    struct {
        long type;
        char text[SIZE];
    } message = { .type = 1 };
    int queue = msgget(IPC_PRIVATE, 0600);

    if (queue == -1)
        return failed("msgget");
    while (n-- > 0)
        if (msgsnd(queue, &message, SIZE, 0) == -1 || msgrcv(queue, &message, SIZE, 0, 0) != SIZE)
            return failed("msgsnd, msgrcv");
    return 0;
}

static int semaphore(long n)
{
    int set = semget(IPC_PRIVATE, 1, 0600);
    struct sembuf up = { 0, 1, 0 }, down = { 0, -1, 0 };

    if (set == -1)
        return failed("semget");
    while (n-- > 0)
        if (semop(set, &up, 1) == -1 || semop(set, &down, 1) == -1)
            return failed("semop");
    return 0;
}

/* IPC_STAT of an object that nobody is at work on. */
static int status(const char *call, long n)
{
    int queue = msgget(IPC_PRIVATE, 0600), set = semget(IPC_PRIVATE, 1, 0600), segment = shmget(IPC_PRIVATE, 1, 0600);
    struct msqid_ds of_queue;
    struct semid_ds of_set;
    struct shmid_ds of_segment;

    while (n-- > 0)
        if ((call[0] == 'm'   ? msgctl(queue, IPC_STAT, &of_queue)
             : call[1] == 'e' ? semctl(set, 0, IPC_STAT, &of_set)
                              : shmctl(segment, IPC_STAT, &of_segment)) == -1)
            return failed(call);
    return 0;
}

int main(int argc, char **argv)
{
    long n = argc == 3 ? atol(argv[2]) : 0;

    if (argc == 3 && strlen(argv[1]) == 6 && strcmp(argv[1] + 3, "ctl") == 0)
        return status(argv[1], n);

    if (argc == 3 && strncmp(argv[1], "mq_", 3) == 0)
        return posix_queue(n);
    if (argc == 3 && strncmp(argv[1], "msg", 3) == 0)
        return system_v_queue(n);
    if (argc == 3 && strcmp(argv[1], "semop") == 0)
        return semaphore(n);
    fprintf(stderr, "usage: %s mq_send|mq_receive|msgsnd|msgrcv|semop|msgctl|semctl|shmctl N\n", argv[0]);
    return 2;
}
