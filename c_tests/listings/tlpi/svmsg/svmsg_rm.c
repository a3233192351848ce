/* TLPI 46, listing 46-4: svmsg_rm [msqid...]: removes queues. */
#include "listing.h"

int main(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++)
        if (msgctl(number(argv[i], 10, "msqid"), IPC_RMID, NULL) == -1)
            fail_in("msgctl IPC_RMID");
    return 0;
}
