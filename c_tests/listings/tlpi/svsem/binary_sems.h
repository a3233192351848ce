/* TLPI 47, listing 47-9: semaphores that are available or in use. All return 0, or -1 and errno. */
#ifndef BINARY_SEMS_H
#define BINARY_SEMS_H

#include <stdbool.h>

extern bool bsUseSemUndo;   /* reserve and release with SEM_UNDO */
extern bool bsRetryOnEintr; /* reserve again after a signal handler */

int initSemAvailable(int id, int index);
int initSemInUse(int id, int index);
int reserveSem(int id, int index);
int releaseSem(int id, int index);

#endif
