/* UNP vol. 2, chapter 10, testeintr, of semaphores made of System V semaphores: a signal ends the wait. */
#include "mysem.h"
#include "../my_pxsem_mmap/testeintr.c"
