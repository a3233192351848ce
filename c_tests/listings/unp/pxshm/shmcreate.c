/* UNP vol. 2, chapter 13, shmcreate [ -e ] <name> <length>: makes an object and maps it, with -e only a new one. */
#include "pxshm.h"

int main(int argc, char **argv)
{
    int option, object, flags = O_RDWR | O_CREAT;
    off_t length;

    while ((option = getopt(argc, argv, "e")) != -1) {
        if (option != 'e')
            exit(1);
        flags |= O_EXCL;
    }
    if (optind != argc - 2)
        err_quit("usage: shmcreate [ -e ] <name> <length>");
    length = atoi(argv[optind + 1]);
    object = open_shm(argv[optind], flags);
    resize(object, length);
    map_for_writing(object, (size_t)length);
    return 0;
}
