/* UNP vol. 2, chapter 10, semcreate [ -e ] [ -i initalvalue ] <name>: makes a named semaphore, with -e only a new one. */
#include "pxsem.h"

int main(int argc, char **argv)
{
    int option, flags = O_RDWR | O_CREAT;
    unsigned value = 1;
    sem_t *sem;

    while ((option = getopt(argc, argv, "ei:")) != -1)
        switch (option) {
        case 'e': flags |= O_EXCL; break;
        case 'i': value = (unsigned)atoi(optarg); break;
        default: exit(1);
        }
    if (optind != argc - 1)
        err_quit("usage: semcreate [ -e ] [ -i initalvalue ] <name>");
    sem = sem_open(argv[optind], flags, FILE_MODE, value);
    if (sem == SEM_FAILED)
        err_sys("sem_open error for %s", argv[optind]);
    if (sem_close(sem) == -1)
        err_sys("sem_close error");
    return 0;
}
