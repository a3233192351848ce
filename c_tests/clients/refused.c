/* Exits 0 when the kernel refuses to make a queue of either kind: then whatever works is not the kernel's. */
#define _GNU_SOURCE
#include <mqueue.h>
#include <stdio.h>
#include <sys/msg.h>

int main(void)
{
    int queue = msgget(IPC_PRIVATE, 0600);
    mqd_t posix_queue = mq_open("/usipc-clients-refused", O_CREAT | O_RDWR, 0600, NULL);

    if (queue != -1) {
        msgctl(queue, IPC_RMID, NULL);
        fprintf(stderr, "the kernel made a System V queue\n");
    }
    if (posix_queue != (mqd_t)-1) {
        mq_unlink("/usipc-clients-refused");
        fprintf(stderr, "the kernel made a POSIX queue\n");
    }
    return queue != -1 || posix_queue != (mqd_t)-1;
}
