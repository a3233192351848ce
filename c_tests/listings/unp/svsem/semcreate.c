/* UNP vol. 2, chapter 11, semcreate [ -e ] <pathname> <nsems>: makes a set, with -e only a new one. */
#include "svsem.h"

int main(int argc, char **argv)
{
    int option, flags = SVSEM_MODE | IPC_CREAT;

    while ((option = getopt(argc, argv, "e")) != -1) {
        if (option != 'e')
            exit(1);
        flags |= IPC_EXCL;
    }
    if (optind != argc - 2)
        err_quit("usage: semcreate [ -e ] <pathname> <nsems>");
    if (semget(key_of(argv[optind], 0), atoi(argv[optind + 1]), flags) == -1)
        err_sys("semget error");
    return 0;
}
