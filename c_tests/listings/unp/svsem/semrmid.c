/* UNP vol. 2, chapter 11, semrmid <pathname>: removes a set. */
#include "svsem.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        err_quit("usage: semrmid <pathname>");
    if (semctl(get_set(argv[1]), 0, IPC_RMID) == -1)
        err_sys("semctl error");
    return 0;
}
