/* UNP vol. 2, chapter 10, prodcons1, of semaphores made of System V semaphores: a producer and a consumer. */
#include "mysem.h"
#include "../my_pxsem_mmap/prodcons1.c"
