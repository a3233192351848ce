/* UNP vol. 2, chapter 13, test2: an object grows page by page below a mapping that is as long as it will be. */
#include "pxshm.h"

#define NAME "test.data"
#define SIZE 32768

int main(void)
{
    int object = open_shm(px_ipc_name(NAME), O_RDWR | O_CREAT | O_TRUNC), size;
    char *memory = map_for_writing(object, SIZE);

    for (size = 4096; size <= SIZE; size += 4096) {
        printf("setting shm size to %d\n", size);
        resize(object, size);
        printf("ptr[%d] = %d\n", size - 1, memory[size - 1]);
    }
    return 0;
}
