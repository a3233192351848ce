/* svmsg_rm [msqid...]: removes queues. */
#include "listing.h"

int main(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++)
        if (msgctl((int)number(argv[i], 0), IPC_RMID, NULL) == -1)
            fail_in("msgctl IPC_RMID");
    return 0;
}
