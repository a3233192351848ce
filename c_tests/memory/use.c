/*
 * Makes the queues whose cost in memory run.sh measures.
 *
 *     use mq [poll]           an empty queue /memory with the default attributes, once polled
 *     use left                a queue that a process has polled which is gone, used and closed by another
 *     use msg SIZE COUNT      a System V queue of COUNT messages of SIZE bytes; prints the payload
 *     use msg mixed COUNT     the same of mixed sizes
 *     use msg drained COUNT   the same, emptied again
 *     use private             uses both kinds and prints its private dirty memory in KiB
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGEST = 8192 };

static struct {
    long type;
    char text[LARGEST];
} message = {.type = 1, .text = ""};

static void check(int condition, const char *what)
{
    if (condition)
        return;
    perror(what);
    exit(1);
}

static mqd_t open_default(void)
{
    mqd_t mqd = mq_open("/memory", O_CREAT | O_RDWR, 0600, NULL);

    check(mqd != (mqd_t)-1, "mq_open");
    return mqd;
}

static void make_mq(int polled)
{
    mqd_t mqd = open_default();
    struct pollfd entry = {.fd = mqd, .events = POLLIN};

    if (polled)
        check(poll(&entry, 1, 0) == 0, "poll");
}

/* Between two polls nobody tells those who use the queue that the poller has gone. */
static void leave_mq(void)
{
    static char text[LARGEST];
    mqd_t mqd = open_default();
    struct pollfd entry = {.fd = mqd, .events = POLLIN};
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(poll(&entry, 1, 0) == 0 ? 0 : 1);
    check(waitpid(pid, &status, 0) == pid && status == 0, "poll");
    check(mq_send(mqd, text, 1, 0) == 0, "mq_send");
    check(mq_unlink("/memory") == 0 && mq_close(mqd) == 0, "mq_close");
}

static size_t size_of(const char *sizes, long number)
{
    static const size_t mixture[] = {0, 8192, 1, 64, 1000, 17, 4096, 0, 300, 2000};

    if (sizes[0] < '0' || sizes[0] > '9')
        return mixture[number % 10];
    return (size_t)atol(sizes);
}

static void make_msg(const char *sizes, long count)
{
    int q = msgget(IPC_PRIVATE, 0600);
    long payload = 0;

    check(q != -1, "msgget");
    for (long i = 0; i < count; i++) {
        size_t size = size_of(sizes, i);
        memset(message.text, 'x', size);
        message.type = i % 7 + 1;
        check(msgsnd(q, &message, size, IPC_NOWAIT) == 0, "msgsnd");
        payload += (long)size;
    }
    if (strcmp(sizes, "drained") == 0) {
        for (long i = 0; i < count; i++)
            check(msgrcv(q, &message, LARGEST, 0, IPC_NOWAIT) != -1, "msgrcv");
        payload = 0;
    }
    printf("%ld\n", payload);
}

/* KiB of private dirty memory outside shared mappings, whose pages are the queues' own. */
static long private_dirty_kib(void)
{
    static char text[1 << 18];
    size_t length = 0;
    ssize_t got;
    long total = 0;
    int private = 0, file = open("/proc/self/smaps", O_RDONLY);

    check(file != -1, "/proc/self/smaps");
    while ((got = read(file, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    close(file);
    text[length] = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char permissions[8];
        long kib;
        if (sscanf(line, "%*[0-9a-f]-%*[0-9a-f] %7s", permissions) == 1)
            private = permissions[3] == 'p';
        else if (private && sscanf(line, "Private_Dirty: %ld kB", &kib) == 1)
            total += kib;
    }
    return total;
}

static void use_both(void)
{
    static char text[LARGEST];
    mqd_t mqd = open_default();
    struct pollfd entry = {.fd = mqd, .events = POLLIN | POLLOUT};
    int q = msgget(IPC_PRIVATE, 0600);

    check(q != -1, "msgget");
    for (int i = 0; i < 1000; i++) {
        check(msgsnd(q, &message, LARGEST, 0) == 0, "msgsnd");
        check(msgrcv(q, &message, LARGEST, 0, 0) == LARGEST, "msgrcv");
        check(mq_send(mqd, text, LARGEST, (unsigned)i % 32768) == 0, "mq_send");
        check(mq_receive(mqd, text, LARGEST, NULL) == LARGEST, "mq_receive");
    }
    check(poll(&entry, 1, 0) == 1, "poll");
    printf("%ld\n", private_dirty_kib());
    check(msgctl(q, IPC_RMID, NULL) == 0, "msgctl");
    check(mq_unlink("/memory") == 0, "mq_unlink");
}

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "mq") == 0)
        make_mq(argc == 3);
    else if (argc == 2 && strcmp(argv[1], "left") == 0)
        leave_mq();
    else if (argc == 4 && strcmp(argv[1], "msg") == 0)
        make_msg(argv[2], atol(argv[3]));
    else if (argc == 2 && strcmp(argv[1], "private") == 0)
        use_both();
    else
        return 2;
    return 0;
}
