/* TLPI 53, listing 53-1: psem_create [-cx] sem-name [octal-perms [value]]: makes or opens a semaphore. */
#include "listing.h"
#include <semaphore.h>

int main(int argc, char **argv)
{
    static const char arguments[] = "[-cx] name [octal-perms [value]]";
    int option, flags = 0;
    unsigned value = 0;
    mode_t mode = S_IRUSR | S_IWUSR;

    while ((option = getopt(argc, argv, "cx")) != -1)
        switch (option) {
        case 'c': flags |= O_CREAT; break;
        case 'x': flags |= O_EXCL; break;
        default: usage(argv[0], arguments);
        }
    if (optind >= argc)
        usage(argv[0], arguments);
    if (argc > optind + 1)
        mode = (mode_t)number(argv[optind + 1], 8, "octal-perms");
    if (argc > optind + 2)
        value = (unsigned)number(argv[optind + 2], 10, "value");
    if (sem_open(argv[optind], flags, mode, value) == SEM_FAILED)
        fail_in("sem_open");
    return 0;
}
