/*
 * TLPI 52, listing 52-6: mq_notify_sig mq-name: is told by SIGUSR1 of a message on the empty queue, registers again,
 * then takes all there are; for ever.
 */
#include "listing.h"
#include <signal.h>

static void woken(int signal_number) { (void)signal_number; }

static void ask(mqd_t mqd)
{
    struct sigevent event;

    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR1;
    if (mq_notify(mqd, &event) == -1)
        fail_in("mq_notify");
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = woken};
    struct mq_attr attr;
    sigset_t block, none;
    ssize_t length;
    char *text;
    mqd_t mqd;

    if (argc != 2)
        usage(argv[0], "mq-name");
    mqd = mq_open(argv[1], O_RDONLY | O_NONBLOCK);
    if (mqd == (mqd_t)-1)
        fail_in("mq_open");
    if (mq_getattr(mqd, &attr) == -1)
        fail_in("mq_getattr");
    text = malloc((size_t)attr.mq_msgsize);
    if (!text)
        fail_in("malloc");
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &block, NULL) == -1 || sigaction(SIGUSR1, &action, NULL) == -1)
        fail_in("sigaction");
    ask(mqd);
    for (;;) {
        sigsuspend(&none);
        ask(mqd);
        while ((length = mq_receive(mqd, text, (size_t)attr.mq_msgsize, NULL)) >= 0) {
            printf("Read %ld bytes\n", (long)length);
            fflush(stdout);
        }
        if (errno != EAGAIN)
            fail_in("mq_receive");
    }
}
