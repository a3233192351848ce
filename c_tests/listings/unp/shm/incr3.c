/* UNP vol. 2, figure 12.12, incr3 <pathname> <#loops>: counter and semaphore both in the mapped file. */
#include "incr.h"

int main(int argc, char **argv)
{
    struct {
        sem_t mutex;
        int counter;
    } *shared;

    if (argc != 3)
        err_quit("usage: incr3 <pathname> <#loops>");
    shared = mapped(zeroed_file(argv[1], sizeof *shared), sizeof *shared, MAP_SHARED);
    if (sem_init(&shared->mutex, 1, 1) == -1)
        err_sys("sem_init error");
    parent_and_child(&shared->mutex, &shared->counter, atoi(argv[2]));
}
