/* UNP vol. 2, chapter 13, shmread <name>: looks for what shmwrite has written, and says what is not so. */
#include "pxshm.h"

int main(int argc, char **argv)
{
    unsigned char *memory;
    size_t i, size;
    int object;

    if (argc != 2)
        err_quit("usage: shmread <name>");
    object = open_shm(argv[1], O_RDONLY);
    size = size_of(object);
    memory = mapped(object, size, PROT_READ);
    close(object);
    for (i = 0; i < size; i++)
        if (memory[i] != i % 256)
            err_msg("ptr[%zu] = %d", i, memory[i]);
    return 0;
}
