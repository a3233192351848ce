/* TLPI 47, supplement: svsem_rm [semid...]: removes sets. */
#include "semun.h"

int main(int argc, char **argv)
{
    union semun unused = {.val = 0};
    int i;

    for (i = 1; i < argc; i++)
        if (semctl(number(argv[i], 10, "semid"), 0, IPC_RMID, unused) == -1)
            fail_in("semctl");
    return 0;
}
