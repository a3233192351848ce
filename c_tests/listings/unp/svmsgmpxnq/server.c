/* UNP vol. 2, chapter 6: a child answers each request to the queue that it names, while the server takes the next. */
#include "../svmsgcliserv/mesg.h"
#include <signal.h>

void sig_chld(int signal_number);

static void answer(int queue, struct mymesg *message)
{
    pid_t child = fork();

    if (child == -1)
        err_sys("fork error");
    if (child != 0)
        return;
    mesg_send_file(queue, message);
    exit(0);
}

void server(int queue)
{
    static struct mymesg message;
    struct sigaction action = {.sa_handler = sig_chld};
    long asker;

    if (sigaction(SIGCHLD, &action, NULL) == -1)
        err_sys("signal error");
    for (;;) {
        message.mesg_type = 1;
        mesg_recv(queue, &message);
        asker = mesg_asker(&message);
        if (asker != -1)
            answer((int)asker, &message);
    }
}
