/* TLPI 54, listing 54-1: pshm_create [-cx] shm-name size [octal-perms]: makes or opens an object, sets its size, maps it. */
#include "listing.h"
#include <sys/mman.h>

int main(int argc, char **argv)
{
    static const char arguments[] = "[-cx] shm-name size [octal-perms]";
    int option, fd, flags = O_RDWR;
    mode_t mode = S_IRUSR | S_IWUSR;
    size_t size;

    while ((option = getopt(argc, argv, "cx")) != -1)
        switch (option) {
        case 'c': flags |= O_CREAT; break;
        case 'x': flags |= O_EXCL; break;
        default: usage(argv[0], arguments);
        }
    if (optind + 1 >= argc)
        usage(argv[0], arguments);
    size = (size_t)number(argv[optind + 1], 0, "shm-size");
    if (argc > optind + 2)
        mode = (mode_t)number(argv[optind + 2], 8, "octal-perms");
    fd = shm_open(argv[optind], flags, mode);
    if (fd == -1)
        fail_in("shm_open");
    if (ftruncate(fd, (off_t)size) == -1)
        fail_in("ftruncate");
    if (mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
        fail_in("mmap");
    return 0;
}
