/* UNP vol. 2, appendix A, incr_svsem1 <#loops> <#threads>: threads and a System V semaphore. */
#include "incr_svsem.h"

int main(int argc, char **argv) { return incr_threads("incr_svsem1", argc, argv, &system_v); }
