/* glibc's semaphores in memory that processes share, as doors; and what this binary measures. */
#include "peers.h"
#include <semaphore.h>
#include <sys/mman.h>

enum { SEMAPHORES = 16 };

static sem_t *semaphores_of(long handle) { return (sem_t *)handle; }

static long make_of(int count)
{
    sem_t *semaphores = (sem_t *)shared_memory(SEMAPHORES * sizeof *semaphores);
    int i;

    if (count > SEMAPHORES)
        die("no more than %d", SEMAPHORES);
    for (i = 0; i < count; i++)
        need(sem_init(&semaphores[i], 1, 0) == 0, "sem_init");
    return (long)semaphores;
}

static long make(int number)
{
    (void)number;
    return make_of(1);
}

static void find(int number)
{
    (void)number;
    die("has no name");
}

static void destroy(long handle, int number)
{
    (void)number;
    munmap(semaphores_of(handle), SEMAPHORES * sizeof(sem_t));
}

static void down(long handle, int semaphore)
{
    while (sem_wait(&semaphores_of(handle)[semaphore]) != 0)
        need(errno == EINTR, "sem_wait");
}

static void up(long handle, int semaphore) { need(sem_post(&semaphores_of(handle)[semaphore]) == 0, "sem_post"); }

static const struct kind sem_t_kind = { "sem", make, make, find, NULL, destroy, 0 };
static const struct door sem_t_door = { &sem_t_kind, make_of, down, up };
static const struct scene none[] = { { 0 } };

#ifdef WITH_BOOST
const struct kind *const kinds[] = { &boost_kind, NULL };
const struct channel *const channels[] = { &boost_channel, NULL };
#else
const struct kind *const kinds[] = { NULL };
const struct channel *const channels[] = { NULL };
#endif
const struct door *const doors[] = { &sem_t_door, NULL };
const struct scene *const loose_scenes = none;
