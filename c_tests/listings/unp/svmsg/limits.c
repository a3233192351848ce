/* UNP vol. 2, chapter 6, limits: tries out how large a message, how full a queue and how many queues there may be. */
#include "../../listing.h"

#define MAX_TEXT (64 * 1024)
#define MAX_MESSAGES 4096
#define MAX_QUEUES 4096

static struct { long type; char text[MAX_TEXT]; } message = {.type = 1};

static int new_queue(void)
{
    int queue = msgget(IPC_PRIVATE, SVMSG_MODE | IPC_CREAT);

    if (queue == -1)
        err_sys("msgget error");
    return queue;
}

static void end(int queue)
{
    if (msgctl(queue, IPC_RMID, NULL) == -1)
        err_sys("msgctl error");
}

static int largest_message(void)
{
    int length, queue = new_queue();

    for (length = MAX_TEXT; length > 0; length -= 128) {
        if (msgsnd(queue, &message, (size_t)length, 0) == 0)
            break;
        if (errno != EINVAL)
            err_sys("msgsnd error for length %d", length);
    }
    if (length == 0)
        err_quit("i == 0");
    printf("maximum amount of data per message = %d\n", length);
    end(queue);
    return length;
}

static void fill_queue(int length)
{
    int sent, queue = new_queue();

    for (sent = 0; sent < MAX_MESSAGES; sent++)
        if (msgsnd(queue, &message, (size_t)length, IPC_NOWAIT) == -1) {
            if (errno != EAGAIN)
                err_sys("msgsnd error, i = %d, j = %d", length, sent);
            break;
        }
    printf("%d %d-byte messages were placed onto queue, %d bytes total\n", sent, length, sent * length);
    end(queue);
}

static void most_queues(void)
{
    static int queues[MAX_QUEUES + 1];
    int made;

    for (made = 0; made <= MAX_QUEUES; made++)
        if ((queues[made] = msgget(IPC_PRIVATE, SVMSG_MODE | IPC_CREAT)) == -1) {
            printf("%d identifiers open at once\n", made);
            break;
        }
    while (made > 0)
        end(queues[--made]);
}

int main(void)
{
    int largest = largest_message(), length;

    for (length = 8; length <= largest; length *= 2)
        fill_queue(length);
    most_queues();
    return 0;
}
