/* UNP vol. 2, appendix A, incr_pxmutex1 <#loops> <#threads>: threads and a mutex. */
#define PSHARED PTHREAD_PROCESS_PRIVATE
#include "incr_pxmutex.h"

int main(int argc, char **argv) { return incr_threads("incr_pxmutex1", argc, argv, &of_mutex); }
