/*
 * TLPI 46, listing 46-8: svmsg_file_server: sends the contents of files to whoever asks through one well-known
 * queue, by a child for each request, into the queue that the client names.
 */
#include "svmsg_file.h"
#include <signal.h>
#include <sys/wait.h>

static void bury(int signal_number)
{
    int saved = errno;

    (void)signal_number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    errno = saved;
}

static void serve(const struct request *request)
{
    static struct response response;
    int fd = open(request->pathname, O_RDONLY);
    ssize_t length;

    if (fd == -1) {
        response.type = RESPONSE_FAILURE;
        strcpy(response.data, "Couldn't open");
        msgsnd(request->client, &response, strlen(response.data) + 1, 0);
        exit(EXIT_FAILURE);
    }
    response.type = RESPONSE_DATA;
    while ((length = read(fd, response.data, sizeof response.data)) > 0)
        if (msgsnd(request->client, &response, (size_t)length, 0) == -1)
            exit(EXIT_FAILURE);
    response.type = RESPONSE_END;
    msgsnd(request->client, &response, 0, 0);
    exit(EXIT_SUCCESS);
}

int main(void)
{
    struct sigaction action = {.sa_handler = bury, .sa_flags = SA_RESTART};
    static struct request request;
    int id = msgget(SERVER_KEY, IPC_CREAT | IPC_EXCL | S_IRUSR | S_IWUSR | S_IWGRP);

    if (id == -1)
        fail_in("msgget");
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGCHLD, &action, NULL) == -1)
        fail_in("sigaction");
    for (;;) {
        pid_t child;

        if (msgrcv(id, &request, REQUEST_SIZE, 0, 0) == -1) {
            /* SA_RESTART does not restart it. */
            if (errno == EINTR)
                continue;
            fprintf(stderr, "ERROR [%s %s] msgrcv\n", strerrorname_np(errno), strerror(errno));
            break;
        }
        child = fork();
        if (child == -1) {
            fprintf(stderr, "ERROR [%s %s] fork\n", strerrorname_np(errno), strerror(errno));
            break;
        }
        if (child == 0)
            serve(&request);
    }
    if (msgctl(id, IPC_RMID, NULL) == -1)
        fail_in("msgctl");
    return 0;
}
