/* Takes what the sender put into the two queues, and removes them. */
#define _GNU_SOURCE
#include <mqueue.h>
#include <stdio.h>
#include <sys/msg.h>

struct message {
    long type;
    char text[8192];
};

int main(void)
{
    static struct message message;
    unsigned priority;
    int queue = msgget(0x64656d6f, 0);
    mqd_t posix_queue = mq_open("/demo", O_RDONLY);

    if (queue == -1 || posix_queue == (mqd_t)-1) {
        perror("receiver: cannot open the queues");
        return 1;
    }
    if (msgrcv(queue, &message, sizeof message.text, 0, IPC_NOWAIT) == -1) {
        perror("receiver: msgrcv");
        return 1;
    }
    printf("receiver: got \"%s\", type %ld\n", message.text, message.type);
    if (mq_receive(posix_queue, message.text, sizeof message.text, &priority) == -1) {
        perror("receiver: mq_receive");
        return 1;
    }
    printf("receiver: got \"%s\", priority %u\n", message.text, priority);
    if (msgctl(queue, IPC_RMID, NULL) == -1 || mq_unlink("/demo") == -1) {
        perror("receiver: cannot remove the queues");
        return 1;
    }
    return 0;
}
