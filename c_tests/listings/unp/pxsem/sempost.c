/* UNP vol. 2, chapter 10, sempost <name>: gives a semaphore, and shows what it comes to. */
#include "pxsem.h"

int main(int argc, char **argv)
{
    sem_t *sem;

    if (argc != 2)
        err_quit("usage: sempost <name>");
    sem = open_sem(argv[1]);
    give(sem);
    printf("value = %d\n", value_of(sem));
    return 0;
}
