/* UNP vol. 2, appendix A, incr_pxsem5 <#loops> <#processes>: processes and an unnamed semaphore in the memory that they share. */
#include "incr_pxsem.h"

static void make(void) { make_unnamed(shared_memory(sizeof(sem_t)), 1); }

int main(int argc, char **argv)
{
    return incr_processes("incr_pxsem5", argc, argv, &(struct lock){make, NULL, take, give, NULL});
}
