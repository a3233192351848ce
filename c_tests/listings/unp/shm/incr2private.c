/* UNP vol. 2, chapter 12, incr2private <pathname> <#loops>: as incr2, but with MAP_PRIVATE: each counts its own copy. */
#include "incr.h"

int main(int argc, char **argv)
{
    int *counter;

    if (argc != 3)
        err_quit("usage: incr2 <pathname> <#loops>");
    counter = mapped(zeroed_file(argv[1], sizeof *counter), sizeof *counter, MAP_PRIVATE);
    parent_and_child(nameless_semaphore(), counter, atoi(argv[2]));
}
