/* UNP vol. 2, chapter 3, ftok1 <pathname>: key and path on a line, to look for two paths with one key. */
#include "../../listing.h"

int main(int argc, char **argv)
{
    struct stat status;

    if (argc != 2)
        err_quit("usage: ftok1 <pathname>");
    if (stat(argv[1], &status) == -1)
        err_sys("stat error for %s", argv[1]);
    printf("%x %s\n", (unsigned)key_of(argv[1], 0x57), argv[1]);
    return 0;
}
