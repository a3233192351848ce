#include "points.h"
const struct scenario sem_scenarios[] = {{0}};
