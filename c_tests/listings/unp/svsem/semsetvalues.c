/* UNP vol. 2, chapter 11, semsetvalues <pathname> [ values ... ]: sets all values of a set. */
#include "svsem.h"

int main(int argc, char **argv)
{
    unsigned short *values;
    int set, count, i;

    if (argc < 2)
        err_quit("usage: semsetvalues <pathname> [ values ... ]");
    set = get_set(argv[1]);
    count = size_of(set);
    if (argc != count + 2)
        err_quit("%d semaphores in set, %d values specified", count, argc - 2);
    values = room(count, sizeof *values);
    for (i = 0; i < count; i++)
        values[i] = (unsigned short)atoi(argv[i + 2]);
    if (semctl(set, 0, SETALL, (union semun){.array = values}) == -1)
        err_sys("semctl error");
    return 0;
}
