/* UNP vol. 2, chapter 14, shmread <pathname>: looks for what shmwrite has written, and says what is not so. */
#include "svshm.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        err_quit("usage: shmread <pathname>");
    look_through(get_segment(argv[1]));
    return 0;
}
