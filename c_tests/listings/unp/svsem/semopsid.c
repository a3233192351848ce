/* UNP vol. 2, chapter 11, semops [ -n ] [ -u ] <id> operation ...: the same on a set that this process has never got. */
#include "svsem.h"

int main(int argc, char **argv)
{
    int flags = operation_flags(argc, argv);

    if (argc - optind < 2)
        err_quit("usage: semops [ -n ] [ -u ] <id> operation ...");
    operate(atoi(argv[optind]), argc - optind - 1, argv + optind + 1, flags);
    return 0;
}
