/* UNP vol. 2, appendix A, incr_pxsem7 <#loops> <#processes>: processes and a named semaphore that the parent opened before it forked. */
#include "incr_pxsem.h"

static void make(void) { mutex = make_named("incr_pxsem7"); }

static void end(void) { sem_unlink(px_ipc_name("incr_pxsem7")); }

int main(int argc, char **argv)
{
    return incr_processes("incr_pxsem7", argc, argv, &(struct lock){make, NULL, take, give, end});
}
