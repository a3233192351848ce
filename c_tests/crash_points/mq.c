#include "points.h"
const struct scenario mq_scenarios[] = {{0}};
