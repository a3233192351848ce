/* TLPI 54, listing 54-2: pshm_write shm-name string: makes an object as long as the string, and puts it there. */
#include "listing.h"
#include <sys/mman.h>

int main(int argc, char **argv)
{
    size_t length;
    char *memory;
    int fd;

    if (argc != 3)
        usage(argv[0], "shm-name string");
    fd = shm_open(argv[1], O_RDWR, 0);
    if (fd == -1)
        fail_in("shm_open");
    length = strlen(argv[2]);
    if (ftruncate(fd, (off_t)length) == -1)
        fail_in("ftruncate");
    printf("Resized to %ld bytes\n", (long)length);
    memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        fail_in("mmap");
    if (close(fd) == -1)
        fail_in("close");
    printf("copying %ld bytes\n", (long)length);
    memcpy(memory, argv[2], length);
    return 0;
}
