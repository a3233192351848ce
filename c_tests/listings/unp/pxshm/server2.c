/* UNP vol. 2, chapter 13, server2 <name>: shows what clients send by shared memory, and how many found no room. */
#include "cliserv2.h"

static void init(sem_t *sem, unsigned value)
{
    if (sem_init(sem, 1, value) == -1)
        err_sys("sem_init error");
}

int main(int argc, char **argv)
{
    struct shared *shared;
    long overflows, known = 0;
    int index;

    if (argc != 2)
        err_quit("usage: server2 <name>");
    shared = new_shm(argv[1], sizeof *shared);
    init(&shared->overflow_mutex, 1);
    init(&shared->mutex, 1);
    init(&shared->empty, MESSAGES);
    init(&shared->stored, 0);
    for (index = 0;; index = (index + 1) % MESSAGES) {
        take(&shared->stored);
        take(&shared->mutex);
        printf("index = %d: %s\n", index, shared->text[index]);
        give(&shared->mutex);
        give(&shared->empty);
        take(&shared->overflow_mutex);
        overflows = shared->overflows;
        give(&shared->overflow_mutex);
        if (overflows != known)
            printf("noverflow = %ld\n", known = overflows);
    }
}
