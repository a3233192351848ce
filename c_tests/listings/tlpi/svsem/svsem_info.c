/* TLPI 47, supplement: svsem_info: SEM_INFO, what all sets take together. */
#include "semun.h"

int main(void)
{
    struct seminfo info;
    union semun arg = {.__buf = &info};
    int highest = semctl(0, 0, SEM_INFO, arg);

    if (highest == -1)
        fail_in("semctl");
    printf("Maximum ID index = %d\n", highest);
    printf("sets in_use      = %d\n", info.semusz);
    printf("used_sems        = %d\n", info.semaem);
    return 0;
}
