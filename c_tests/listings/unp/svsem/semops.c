/* UNP vol. 2, chapter 11, semops [ -n ] [ -u ] <pathname> operation ...: one semop, -n without waiting, -u to be undone. */
#include "svsem.h"

int main(int argc, char **argv)
{
    int flags = operation_flags(argc, argv);

    if (argc - optind < 2)
        err_quit("usage: semops [ -n ] [ -u ] <pathname> operation ...");
    operate(get_set(argv[optind]), argc - optind - 1, argv + optind + 1, flags);
    return 0;
}
