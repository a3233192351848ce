/* UNP vol. 2, chapter 10, testsem, of semaphores made of System V semaphores: many threads make and open the same ones at once. */
#include "mysem.h"
#include "../my_pxsem_mmap/testsem.c"
