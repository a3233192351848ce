/* UNP vol. 2, chapter 3, ftok <pathname>: what a key is made of: device, inode number and the id 0x57. */
#include "../../listing.h"

int main(int argc, char **argv)
{
    struct stat status;

    if (argc != 2)
        err_quit("usage: ftok <pathname>");
    if (stat(argv[1], &status) == -1)
        err_sys("stat error for %s", argv[1]);
    printf("st_dev: %lx, st_ino: %lx, key: %x\n", (unsigned long)status.st_dev, (unsigned long)status.st_ino,
           (unsigned)key_of(argv[1], 0x57));
    return 0;
}
