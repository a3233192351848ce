/* UNP vol. 2, appendix A, incr_svsem2 <#loops> <#threads>: threads and a System V semaphore with SEM_UNDO. */
#define UNDO SEM_UNDO
#include "incr_svsem.h"

int main(int argc, char **argv) { return incr_threads("incr_svsem2", argc, argv, &system_v); }
