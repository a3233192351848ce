/* UNP vol. 2, figure 12.14, incr_map_anon <#loops>: the shared counter needs no file, by MAP_ANONYMOUS. */
#include "incr.h"

int main(int argc, char **argv)
{
    int *counter;

    if (argc != 2)
        err_quit("usage: incr_map_anon <#loops>");
    counter = mapped(-1, sizeof *counter, MAP_SHARED | MAP_ANONYMOUS);
    parent_and_child(nameless_semaphore(), counter, atoi(argv[1]));
}
