/* UNP vol. 2, appendix A, incr_svsem5 <#loops> <#processes>: processes and a System V semaphore. */
#include "incr_svsem.h"

int main(int argc, char **argv) { return incr_processes("incr_svsem5", argc, argv, &system_v); }
