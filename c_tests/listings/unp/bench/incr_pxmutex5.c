/* UNP vol. 2, appendix A, incr_pxmutex5 <#loops> <#processes>: processes and a mutex that they share. */
#define PSHARED PTHREAD_PROCESS_SHARED
#include "incr_pxmutex.h"

int main(int argc, char **argv) { return incr_processes("incr_pxmutex5", argc, argv, &of_mutex); }
