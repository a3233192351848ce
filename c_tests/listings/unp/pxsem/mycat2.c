/* UNP vol. 2, chapter 10, mycat2 <pathname>: the same through several buffers: one thread reads while another writes. */
#include "mycat.h"
#include <pthread.h>
#include <semaphore.h>

#define BLOCKS 8

static struct {
    struct block block[BLOCKS];
    sem_t empty, stored;
} shared;

static int file;

static void take(sem_t *sem)
{
    if (sem_wait(sem) == -1)
        err_sys("sem_wait error");
}

static void give(sem_t *sem)
{
    if (sem_post(sem) == -1)
        err_sys("sem_post error");
}

/* The end of the file is an empty block. */
static void *produce(void *argument)
{
    ssize_t length;
    int i = 0;

    do {
        take(&shared.empty);
        length = read_block(file, &shared.block[i]);
        give(&shared.stored);
        i = (i + 1) % BLOCKS;
    } while (length > 0);
    return argument;
}

static void *consume(void *argument)
{
    for (int i = 0;; i = (i + 1) % BLOCKS) {
        take(&shared.stored);
        if (shared.block[i].length == 0)
            return argument;
        write_block(&shared.block[i]);
        give(&shared.empty);
    }
}

int main(int argc, char **argv)
{
    pthread_t producer, consumer;

    if (argc != 2)
        err_quit("usage: mycat2 <pathname>");
    file = open_file(argv[1]);
    if (sem_init(&shared.empty, 0, BLOCKS) == -1 || sem_init(&shared.stored, 0, 0) == -1)
        err_sys("sem_init error");
    if ((errno = pthread_create(&producer, NULL, produce, NULL)) || (errno = pthread_create(&consumer, NULL, consume, NULL)))
        err_sys("pthread_create error");
    pthread_join(producer, NULL);
    pthread_join(consumer, NULL);
    sem_destroy(&shared.empty);
    sem_destroy(&shared.stored);
    return 0;
}
