/*
 * UNP vol. 2, chapter 10, testmysem <#semaphores> <#threads> <initvalue>: threads all at once make or open the same
 * semaphores and take from each its part of the initial value (0: the greatest there is); prints what is left.
 */
#include "../../listing.h"
#include <pthread.h>
#include <semaphore.h>

#define MOST 1000

static int semaphores, initial, waits;

static sem_t *open_numbered(int number, int flags)
{
    char name[32];
    sem_t *sem;

    snprintf(name, sizeof name, "sem%d", number);
    sem = sem_open(px_ipc_name(name), flags, FILE_MODE, (unsigned)initial);
    if (sem == SEM_FAILED)
        err_sys("sem_open error for %s", px_ipc_name(name));
    return sem;
}

static void close_again(sem_t *sem)
{
    if (sem_close(sem) == -1)
        err_sys("sem_close error");
}

static int unlink_numbered(int number)
{
    char name[32];

    snprintf(name, sizeof name, "sem%d", number);
    return sem_unlink(px_ipc_name(name));
}

static void *take(void *unused)
{
    int i, wait;

    for (i = 0; i < semaphores; i++) {
        sem_t *sem = open_numbered(i, O_CREAT);

        for (wait = 0; wait < waits; wait++)
            if (sem_wait(sem) == -1)
                err_sys("sem_wait error");
        close_again(sem);
    }
    return unused;
}

static void report(int number)
{
    sem_t *sem = open_numbered(number, 0);
    int value, left = 0;

    if (sem_getvalue(sem, &value) == -1)
        err_sys("sem_getvalue error");
    printf("SEM%d = %d\n", number, value);
    while (sem_trywait(sem) == 0)
        left++;
    if (errno != EAGAIN || left != value)
        err_sys("sem_trywait took %d", left);
    close_again(sem);
}

static int at_most(int number) { return number < MOST ? number : MOST; }

int main(int argc, char **argv)
{
    pthread_t threads[MOST];
    int i, nthreads;

    if (argc != 4)
        err_quit("usage: testmysem <#semaphores> <#threads> <initvalue>");
    semaphores = at_most(atoi(argv[1]));
    nthreads = at_most(atoi(argv[2]));
    initial = atoi(argv[3]) ? atoi(argv[3]) : (int)sysconf(_SC_SEM_VALUE_MAX);
    waits = initial / nthreads;
    printf("initval = %d, #waits = %d, final values should be %d\n", initial, waits, initial - waits * nthreads);
    /* Those of an earlier run. */
    for (i = 0; i < semaphores; i++)
        unlink_numbered(i);
    for (i = 0; i < nthreads; i++)
        if ((errno = pthread_create(&threads[i], NULL, take, NULL)) != 0)
            err_sys("pthread_create error");
    for (i = 0; i < nthreads; i++)
        pthread_join(threads[i], NULL);
    for (i = 0; i < semaphores; i++)
        report(i);
    for (i = 0; i < semaphores; i++)
        if (unlink_numbered(i) == -1)
            err_sys("sem_unlink error");
    return 0;
}
