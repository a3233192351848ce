/* The time of day, as svsem_demo and svsem_op print it. */
#ifndef CLOCK_TIME_H
#define CLOCK_TIME_H

#include "listing.h"
#include <time.h>

LISTING_API const char *clock_time(void)
{
    static char text[20];
    time_t now = time(NULL);

    strftime(text, sizeof text, "%T", localtime(&now));
    return text;
}

#endif
