/* UNP vol. 2, appendix A, incr_pxsem2 <#loops> <#threads>: threads and a named semaphore. */
#include "incr_pxsem.h"

static void make(void) { mutex = make_named("incr_pxsem2"); }

static void end(void) { sem_unlink(px_ipc_name("incr_pxsem2")); }

int main(int argc, char **argv)
{
    return incr_threads("incr_pxsem2", argc, argv, &(struct lock){make, NULL, take, give, end});
}
