/* TLPI 54, listing 54-3: pshm_read shm-name: writes out what is in an object. */
#include "listing.h"
#include <sys/mman.h>

int main(int argc, char **argv)
{
    struct stat object;
    char *memory;
    int fd;

    if (argc != 2)
        usage(argv[0], "shm-name");
    fd = shm_open(argv[1], O_RDONLY, 0);
    if (fd == -1)
        fail_in("shm_open");
    if (fstat(fd, &object) == -1)
        fail_in("fstat");
    memory = mmap(NULL, (size_t)object.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        fail_in("mmap");
    if (close(fd) == -1)
        fail_in("close");
    if (write(STDOUT_FILENO, memory, (size_t)object.st_size) != object.st_size)
        fail_in("write");
    printf("\n");
    return 0;
}
