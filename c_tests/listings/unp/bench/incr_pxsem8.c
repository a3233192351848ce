/*
 * UNP vol. 2, appendix A, incr_pxsem8 <#loops> <#processes>: as incr_pxsem7, but each child closes the inherited semaphore
 * and opens it anew.
 */
#include "incr_pxsem.h"

static void make(void) { mutex = make_named("incr_pxsem8"); }

static void join(void)
{
    if (sem_close(mutex) == -1)
        err_sys("sem_close error");
    mutex = sem_open(px_ipc_name("incr_pxsem8"), 0);
    if (mutex == SEM_FAILED)
        err_sys("sem_open error for %s", px_ipc_name("incr_pxsem8"));
}

static void end(void) { sem_unlink(px_ipc_name("incr_pxsem8")); }

int main(int argc, char **argv)
{
    return incr_processes("incr_pxsem8", argc, argv, &(struct lock){make, join, take, give, end});
}
