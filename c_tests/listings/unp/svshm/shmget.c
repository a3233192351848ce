/* UNP vol. 2, chapter 14, shmget [ -e ] <pathname> <length>: makes a segment, with -e only a new one, and attaches it. */
#include "svshm.h"

int main(int argc, char **argv)
{
    int option, segment, flags = SVSHM_MODE | IPC_CREAT;

    while ((option = getopt(argc, argv, "e")) != -1) {
        if (option != 'e')
            exit(1);
        flags |= IPC_EXCL;
    }
    if (optind != argc - 2)
        err_quit("usage: shmget [ -e ] <pathname> <length>");
    segment = shmget(key_of(argv[optind], 0), (size_t)atoi(argv[optind + 1]), flags);
    if (segment == -1)
        err_sys("shmget error");
    attached(segment);
    return 0;
}
