/* UNP vol. 2, figure 12.10, incr2 <pathname> <#loops>: a counter in a file mapped with MAP_SHARED is one for both. */
#include "incr.h"

int main(int argc, char **argv)
{
    int *counter;

    if (argc != 3)
        err_quit("usage: incr2 <pathname> <#loops>");
    counter = mapped(zeroed_file(argv[1], sizeof *counter), sizeof *counter, MAP_SHARED);
    parent_and_child(nameless_semaphore(), counter, atoi(argv[2]));
}
