/* UNP vol. 2, chapter 10, semgetvalue <name>: shows a semaphore's value. */
#include "pxsem.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        err_quit("usage: semgetvalue <name>");
    printf("value = %d\n", value_of(open_sem(argv[1])));
    return 0;
}
