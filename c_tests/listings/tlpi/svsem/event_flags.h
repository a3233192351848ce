/* TLPI 47, solution of exercise 47-5: event flags, a semaphore each. All return 0, or -1 and errno. */
#ifndef EVENT_FLAGS_H
#define EVENT_FLAGS_H

#include <stdbool.h>

int clearEventFlag(int id, int index);
int setEventFlag(int id, int index);
int waitForEventFlag(int id, int index); /* until it is set */
int getFlagState(int id, int index, bool *is_set);

#endif
