/* Puts one message into a System V queue and one into a POSIX queue: plain libc calls, nothing of usipc's. */
#define _GNU_SOURCE
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/msg.h>

struct message {
    long type;
    char text[80];
};

int main(int argc, char **argv)
{
    const char *text = argc > 1 ? argv[1] : "hello";
    struct message message = { .type = 1 };
    int queue = msgget(0x64656d6f, IPC_CREAT | 0600);
    mqd_t posix_queue = mq_open("/demo", O_CREAT | O_WRONLY, 0600, NULL);

    if (queue == -1 || posix_queue == (mqd_t)-1) {
        perror("sender: cannot open the queues");
        return 1;
    }
    snprintf(message.text, sizeof message.text, "%s, by System V", text);
    if (msgsnd(queue, &message, strlen(message.text) + 1, 0) == -1) {
        perror("sender: msgsnd");
        return 1;
    }
    snprintf(message.text, sizeof message.text, "%s, by POSIX", text);
    if (mq_send(posix_queue, message.text, strlen(message.text) + 1, 7) == -1) {
        perror("sender: mq_send");
        return 1;
    }
    printf("sender: sent two messages\n");
    return 0;
}
