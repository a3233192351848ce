/* TLPI 45, solution of exercise 45-2: t_ftok key-file key-char: the key of a file, and what it is made of. */
#include "listing.h"

int main(int argc, char **argv)
{
    struct stat file;
    key_t key;

    if (argc != 3)
        usage(argv[0], "key-file key-char");
    key = ftok(argv[1], argv[2][0]);
    if (key == -1)
        fail_in("ftok");
    if (stat(argv[1], &file) == -1)
        fail_in("stat");
    printf("Size of key_t = %zu bytes\n", sizeof key);
    printf("Key = %lx; i-node = %lx; st_dev = %lx; proj = %x\n", (unsigned long)key, (unsigned long)file.st_ino,
           (unsigned long)file.st_dev, (unsigned)argv[2][0]);
    return 0;
}
