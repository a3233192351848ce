/*
 * UNP vol. 2, appendix A, incr_pxsem6 <#loops> <#processes>: processes and a named semaphore, the pointer to which is in
 * the memory that they share; it holds in the children since fork keeps the mapping where it is.
 */
#include "incr_pxsem.h"

static sem_t **shared_pointer;

static void make(void)
{
    shared_pointer = shared_memory(sizeof *shared_pointer);
    *shared_pointer = mutex = make_named("incr_pxsem6");
}

static void join(void) { mutex = *shared_pointer; }

static void end(void) { sem_unlink(px_ipc_name("incr_pxsem6")); }

int main(int argc, char **argv)
{
    return incr_processes("incr_pxsem6", argc, argv, &(struct lock){make, join, take, give, end});
}
