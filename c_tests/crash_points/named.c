#include "points.h"
const struct scenario named_scenarios[] = {{0}};
