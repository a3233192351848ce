#include "points.h"
const struct scenario shm_scenarios[] = {{0}};
