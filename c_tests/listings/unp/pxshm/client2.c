/* UNP vol. 2, chapter 13, client2 <name> <#loops> <#usec>: sends messages to server2, counts those that find no room. */
#include "cliserv2.h"

static void put(struct shared *shared, const char *text)
{
    if (sem_trywait(&shared->empty) == -1) {
        if (errno != EAGAIN)
            err_sys("sem_trywait error");
        take(&shared->overflow_mutex);
        shared->overflows++;
        give(&shared->overflow_mutex);
        return;
    }
    take(&shared->mutex);
    strcpy(shared->text[shared->put], text);
    shared->put = (shared->put + 1) % MESSAGES;
    give(&shared->mutex);
    give(&shared->stored);
}

int main(int argc, char **argv)
{
    char text[MESSAGE_SIZE];
    struct shared *shared;
    int i, loops, pause_us;

    if (argc != 4)
        err_quit("usage: client2 <name> <#loops> <#usec>");
    loops = atoi(argv[2]);
    pause_us = atoi(argv[3]);
    shared = old_shm(argv[1], sizeof *shared);
    for (i = 0; i < loops; i++) {
        usleep((useconds_t)pause_us);
        snprintf(text, sizeof text, "pid %ld: message %d", (long)getpid(), i);
        put(shared, text);
    }
    return 0;
}
