/* UNP vol. 2, figure 6.4, msgcreate [ -e ] <pathname>: makes a queue, with -e only a new one. */
#include "../../listing.h"

int main(int argc, char **argv)
{
    int option, flags = SVMSG_MODE | IPC_CREAT;

    while ((option = getopt(argc, argv, "e")) != -1) {
        if (option != 'e')
            exit(1);
        flags |= IPC_EXCL;
    }
    if (optind != argc - 1)
        err_quit("usage: msgcreate [ -e ] <pathname>");
    if (msgget(key_of(argv[optind], 0), flags) == -1)
        err_sys("msgget error");
    return 0;
}
