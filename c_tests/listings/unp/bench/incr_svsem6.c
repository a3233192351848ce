/* UNP vol. 2, appendix A, incr_svsem6 <#loops> <#processes>: processes and a System V semaphore with SEM_UNDO. */
#define UNDO SEM_UNDO
#include "incr_svsem.h"

int main(int argc, char **argv) { return incr_processes("incr_svsem6", argc, argv, &system_v); }
