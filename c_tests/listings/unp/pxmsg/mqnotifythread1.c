/* UNP vol. 2, chapter 5, mqnotifythread1 <name>: a new thread is told of messages, registers again and takes them. */
#include "pxmsg.h"
#include <pthread.h>

static struct listener listener;

static void told(union sigval value)
{
    (void)value;
    printf("notify_thread started\n");
    ask(&listener);
    take_all(&listener);
    pthread_exit(NULL);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        err_quit("usage: mqnotifythread1 <name>");
    listen_to(&listener, argv[1], O_RDONLY | O_NONBLOCK);
    listener.event.sigev_notify = SIGEV_THREAD;
    listener.event.sigev_notify_function = told;
    listener.event.sigev_notify_attributes = NULL;
    ask(&listener);
    for (;;)
        pause();
}
