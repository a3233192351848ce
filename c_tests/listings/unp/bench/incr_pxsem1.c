/* UNP vol. 2, appendix A, incr_pxsem1 <#loops> <#threads>: threads and an unnamed semaphore. */
#include "incr_pxsem.h"

static sem_t memory;

static void make(void) { make_unnamed(&memory, 0); }

int main(int argc, char **argv)
{
    return incr_threads("incr_pxsem1", argc, argv, &(struct lock){make, NULL, take, give, NULL});
}
