/* UNP vol. 2, chapter 10, semunlink <name>: removes a semaphore's name. */
#include "pxsem.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        err_quit("usage: semunlink <name>");
    if (sem_unlink(argv[1]) == -1)
        err_sys("sem_unlink error");
    return 0;
}
