/* queue KEY NAME [WORD...]: makes a System V and a POSIX queue, sends each WORD to both, and with the
 * word "stay" at the end stays until it is killed. */
#define _GNU_SOURCE
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <unistd.h>

struct message {
    long type;
    char text[64];
};

int main(int argc, char **argv)
{
    struct mq_attr attr = { .mq_maxmsg = 8, .mq_msgsize = 64 };
    int id;
    mqd_t mqd;

    if (argc < 3)
        return 2;
    id = msgget((key_t)strtol(argv[1], NULL, 0), IPC_CREAT | 0640);
    mqd = mq_open(argv[2], O_CREAT | O_RDWR, 0600, &attr);
    if (id == -1 || mqd == (mqd_t)-1) {
        perror("queue");
        return 1;
    }
    for (int i = 3; i < argc; i++) {
        struct message message = { .type = 1 };
        if (i == argc - 1 && !strcmp(argv[i], "stay")) {
            printf("%d\n", id);
            fflush(stdout);
            for (;;)
                pause();
        }
        strncpy(message.text, argv[i], sizeof message.text - 1);
        if (msgsnd(id, &message, strlen(argv[i]), IPC_NOWAIT) == -1 || mq_send(mqd, argv[i], strlen(argv[i]), 0) == -1) {
            perror("queue: send");
            return 1;
        }
    }
    printf("%d\n", id);
    return 0;
}
