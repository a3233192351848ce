/* UNP vol. 2, chapter 13, shmunlink <name>: removes an object's name. */
#include "pxshm.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        err_quit("usage: shmunlink <name>");
    if (shm_unlink(argv[1]) == -1)
        err_sys("shm_unlink error");
    return 0;
}
