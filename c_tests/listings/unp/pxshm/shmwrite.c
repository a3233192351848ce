/* UNP vol. 2, chapter 13, shmwrite <name>: fills an object with 0, 1, 2 ... 255, 0, 1 ... */
#include "pxshm.h"

int main(int argc, char **argv)
{
    unsigned char *memory;
    size_t i, size;
    int object;

    if (argc != 2)
        err_quit("usage: shmwrite <name>");
    object = open_shm(argv[1], O_RDWR);
    size = size_of(object);
    memory = map_for_writing(object, size);
    close(object);
    for (i = 0; i < size; i++)
        memory[i] = (unsigned char)i;
    return 0;
}
