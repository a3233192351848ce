/* UNP vol. 2, chapter 10, semwait <name>: takes a semaphore and keeps it, even when it is killed. */
#include "pxsem.h"

int main(int argc, char **argv)
{
    sem_t *sem;

    if (argc != 2)
        err_quit("usage: semwait <name>");
    sem = open_sem(argv[1]);
    take(sem);
    printf("pid %ld has semaphore, value = %d\n", (long)getpid(), value_of(sem));
    pause();
    return 0;
}
