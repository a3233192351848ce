/*
 * UNP vol. 2, figure 10.17, prodcons1 <#items>: a thread produces, another consumes, with three named semaphores and ten
 * places between them.
 */
#include "../../listing.h"
#include <pthread.h>
#include <semaphore.h>

#define PLACES 10

enum { MUTEX, EMPTY, STORED, SEMAPHORES };
static const char *const names[SEMAPHORES] = {"mutex", "nempty", "nstored"};
static sem_t *sems[SEMAPHORES];
static int items, place[PLACES];

static void down(int which)
{
    if (sem_wait(sems[which]) == -1)
        err_sys("sem_wait error");
}

static void up(int which)
{
    if (sem_post(sems[which]) == -1)
        err_sys("sem_post error");
}

static void *produce(void *unused)
{
    int i;

    for (i = 0; i < items; i++) {
        down(EMPTY);
        down(MUTEX);
        place[i % PLACES] = i;
        up(MUTEX);
        up(STORED);
    }
    return unused;
}

static void *consume(void *unused)
{
    int i;

    for (i = 0; i < items; i++) {
        down(STORED);
        down(MUTEX);
        if (place[i % PLACES] != i)
            printf("buff[%d] = %d\n", i, place[i % PLACES]);
        up(MUTEX);
        up(EMPTY);
    }
    return unused;
}

int main(int argc, char **argv)
{
    static const unsigned values[SEMAPHORES] = {1, PLACES, 0};
    pthread_t producer, consumer;
    int i;

    if (argc != 2)
        err_quit("usage: prodcons1 <#items>");
    items = atoi(argv[1]);
    for (i = 0; i < SEMAPHORES; i++) {
        sems[i] = sem_open(px_ipc_name(names[i]), O_CREAT | O_EXCL, FILE_MODE, values[i]);
        if (sems[i] == SEM_FAILED)
            err_sys("sem_open error for %s", px_ipc_name(names[i]));
    }
    if ((errno = pthread_create(&producer, NULL, produce, NULL)) != 0 ||
        (errno = pthread_create(&consumer, NULL, consume, NULL)) != 0)
        err_sys("pthread_create error");
    pthread_join(producer, NULL);
    pthread_join(consumer, NULL);
    for (i = 0; i < SEMAPHORES; i++)
        if (sem_unlink(px_ipc_name(names[i])) == -1)
            err_sys("sem_unlink error");
    return 0;
}
