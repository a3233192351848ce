/*
 * UNP vol. 2, chapter 11, locksvsemrace1 <#processes>: processes started at once make and take the lock of locksvsem; prints
 * how often one of them found the set before it had its value.
 */
#include "svsemlock.h"
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>

static struct shared {
    sem_t start;
    sem_t conflicts;
} *shared;

static void conflict(void) { sem_post(&shared->conflicts); }

__attribute__((noreturn)) static void use_lock(void)
{
    int i, semid;

    if (sem_wait(&shared->start) == -1)
        err_sys("sem_wait error");
    semid = open_lock(conflict);
    for (i = 0; i < 10; i++) {
        operate(semid, -1);
        operate(semid, 1);
    }
    exit(0);
}

int main(int argc, char **argv)
{
    int i, conflicts, status, processes, failed = 0;

    if (argc != 2)
        err_quit("usage: locksvsemrace1 <#processes>");
    processes = atoi(argv[1]);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        err_sys("mmap error");
    if (sem_init(&shared->start, 1, 0) == -1 || sem_init(&shared->conflicts, 1, 0) == -1)
        err_sys("sem_init error");
    for (i = 0; i < processes; i++)
        switch (fork()) {
        case -1:
            err_sys("fork error");
        case 0:
            use_lock();
        }
    for (i = 0; i < processes; i++)
        sem_post(&shared->start);
    while (wait(&status) > 0)
        failed += status != 0;
    sem_getvalue(&shared->conflicts, &conflicts);
    printf("%d conflicts\n", conflicts);
    if (failed)
        err_quit("%d processes failed", failed);
    return 0;
}
