/* UNP vol. 2, chapter 14, shmread <id>: the same on a segment that this process has never got. */
#include "svshm.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        err_quit("usage: shmread <id>");
    look_through(atoi(argv[1]));
    return 0;
}
