/*
 * UNP vol. 2, chapter 5, mqcreate [ -e ] [ -m maxmsg -z msgsize ] <name>: as mqcreate, with half a minute before and after
 * mq_open ($TEST1_SECONDS for tests), to see how much memory a queue takes.
 */
static void stop(void);
#define STOP stop
#include "mqcreate.c"

static void stop(void)
{
    const char *seconds = getenv("TEST1_SECONDS");

    sleep(seconds ? (unsigned)atoi(seconds) : 30);
}
