/* TLPI 53, listing 53-6: thread_incr_psem [num-loops]: two threads count in turns, kept by an unnamed semaphore. */
#include "listing.h"
#include <pthread.h>
#include <semaphore.h>

static int counted;
static sem_t semaphore;

static void *count(void *loops)
{
    int i;

    for (i = 0; i < *(int *)loops; i++) {
        if (sem_wait(&semaphore) == -1)
            fail_in("sem_wait");
        counted++;
        if (sem_post(&semaphore) == -1)
            fail_in("sem_post");
    }
    return NULL;
}

int main(int argc, char **argv)
{
    int i, loops = argc > 1 ? number(argv[1], 10, "num-loops") : 10000000;
    pthread_t threads[2];

    if (sem_init(&semaphore, 0, 1) == -1)
        fail_in("sem_init");
    for (i = 0; i < 2; i++)
        if ((errno = pthread_create(&threads[i], NULL, count, &loops)) != 0)
            fail_in("pthread_create");
    for (i = 0; i < 2; i++)
        if ((errno = pthread_join(threads[i], NULL)) != 0)
            fail_in("pthread_join");
    printf("glob = %d\n", counted);
    return 0;
}
