/* UNP vol. 2, chapter 14, shmrmid <pathname>: removes a segment. */
#include "svshm.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        err_quit("usage: shmrmid <pathname>");
    if (shmctl(get_segment(argv[1]), IPC_RMID, NULL) == -1)
        err_sys("shmctl error");
    return 0;
}
