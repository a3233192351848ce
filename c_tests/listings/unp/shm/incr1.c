/* UNP vol. 2, figure 12.3, incr1 <#loops>: a global counter is not shared: parent and child each count their own. */
#include "incr.h"

static int counter;

int main(int argc, char **argv)
{
    if (argc != 2)
        err_quit("usage: incr1 <#loops>");
    parent_and_child(nameless_semaphore(), &counter, atoi(argv[1]));
}
