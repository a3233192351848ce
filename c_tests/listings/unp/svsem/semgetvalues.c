/* UNP vol. 2, chapter 11, semgetvalues <pathname>: shows all values of a set. */
#include "svsem.h"

int main(int argc, char **argv)
{
    unsigned short *values;
    int set, count, i;

    if (argc != 2)
        err_quit("usage: semgetvalues <pathname>");
    set = get_set(argv[1]);
    count = size_of(set);
    values = room(count, sizeof *values);
    if (semctl(set, 0, GETALL, (union semun){.array = values}) == -1)
        err_sys("semctl error");
    for (i = 0; i < count; i++)
        printf("semval[%d] = %d\n", i, values[i]);
    return 0;
}
