/* UNP vol. 2, chapter 5, mqsysconf: what sysconf says of open queues and priorities. */
#include "../../listing.h"

int main(void)
{
    printf("MQ_OPEN_MAX = %ld, MQ_PRIO_MAX = %ld\n", sysconf(_SC_MQ_OPEN_MAX), sysconf(_SC_MQ_PRIO_MAX));
    return 0;
}
