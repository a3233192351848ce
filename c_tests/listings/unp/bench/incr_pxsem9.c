/*
 * UNP vol. 2, appendix A, incr_pxsem9 <#loops> <#processes>: a semaphore that is not in shared memory is copied by fork, even
 * with `pshared`: the children wait for their copies, which nobody posts.
 */
#include "incr_pxsem.h"

static sem_t memory;

static void make(void) { make_unnamed(&memory, 1); }

int main(int argc, char **argv)
{
    return incr_processes("incr_pxsem9", argc, argv, &(struct lock){make, NULL, take, give, NULL});
}
