/* TLPI 53, solution of exercise 53-2: psem_timedwait sem-name nsecs: takes one from a semaphore, waits so many seconds for it. */
#include "listing.h"
#include <semaphore.h>
#include <time.h>

int main(int argc, char **argv)
{
    struct timespec until;
    sem_t *semaphore;

    if (argc != 3)
        usage(argv[0], "sem-name nsecs");
    semaphore = sem_open(argv[1], 0);
    if (semaphore == SEM_FAILED)
        fail_in("sem_open");
    if (clock_gettime(CLOCK_REALTIME, &until) == -1)
        fail_in("clock_gettime");
    until.tv_sec += atoi(argv[2]);
    if (sem_timedwait(semaphore, &until) == -1)
        fail_in("sem_timedwait");
    printf("%ld sem_wait() succeeded\n", (long)getpid());
    return 0;
}
