/* UNP vol. 2, chapter 14, shmwrite <pathname>: fills a segment with 0, 1, 2 ... 255, 0, 1 ... */
#include "svshm.h"

int main(int argc, char **argv)
{
    unsigned char *memory;
    size_t i, size;
    int segment;

    if (argc != 2)
        err_quit("usage: shmwrite <pathname>");
    segment = get_segment(argv[1]);
    memory = attached(segment);
    size = size_of(segment);
    for (i = 0; i < size; i++)
        memory[i] = (unsigned char)i;
    return 0;
}
