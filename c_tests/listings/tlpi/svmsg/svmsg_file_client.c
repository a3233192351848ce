/* TLPI 46, listing 46-9: svmsg_file_client pathname: asks the server for a file and counts what comes. */
#include "svmsg_file.h"

static int own;

static void remove_own(void)
{
    if (msgctl(own, IPC_RMID, NULL) == -1)
        fprintf(stderr, "ERROR [%s %s] msgctl\n", strerrorname_np(errno), strerror(errno));
}

int main(int argc, char **argv)
{
    static struct request request = {.type = 1};
    static struct response response;
    ssize_t length, total = 0;
    int server, messages = 0;

    if (argc != 2)
        usage(argv[0], "pathname");
    if (strlen(argv[1]) > sizeof request.pathname - 1)
        bad_command_line("pathname too long (max: %zu bytes)", sizeof request.pathname - 1);
    server = msgget(SERVER_KEY, S_IWUSR);
    if (server == -1)
        fail_in("msgget - server message queue");
    own = msgget(IPC_PRIVATE, S_IRUSR | S_IWUSR | S_IWGRP);
    if (own == -1)
        fail_in("msgget - client message queue");
    if (atexit(remove_own) != 0)
        fail_in("atexit");
    request.client = own;
    strcpy(request.pathname, argv[1]);
    if (msgsnd(server, &request, REQUEST_SIZE, 0) == -1)
        fail_in("msgsnd");
    for (;; messages++) {
        length = msgrcv(own, &response, sizeof response.data, 0, 0);
        if (length == -1)
            fail_in("msgrcv");
        if (response.type == RESPONSE_FAILURE) {
            printf("%s\n", response.data);
            exit(EXIT_FAILURE);
        }
        if (response.type == RESPONSE_END)
            break;
        total += length;
    }
    printf("Received %ld bytes (%d messages)\n", (long)total, messages);
    return 0;
}
