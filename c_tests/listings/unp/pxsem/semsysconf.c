/* UNP vol. 2, chapter 10, semsysconf: what sysconf says of the number of semaphores and of their values. */
#include "../../listing.h"

int main(void)
{
    printf("SEM_NSEMS_MAX = %ld, SEM_VALUE_MAX = %ld\n", sysconf(_SC_SEM_NSEMS_MAX), sysconf(_SC_SEM_VALUE_MAX));
    return 0;
}
