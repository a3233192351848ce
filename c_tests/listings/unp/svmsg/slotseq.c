/* UNP vol. 2, chapter 3, slotseq: as slot, with the place's sequence number, which is what makes the identifiers differ. */
#include "../../listing.h"

int main(void)
{
    struct msqid_ds status;
    int turn, queue;

    for (turn = 0; turn < 10; turn++) {
        queue = msgget(IPC_PRIVATE, SVMSG_MODE | IPC_CREAT);
        if (queue == -1)
            err_sys("msgget error");
        if (msgctl(queue, IPC_STAT, &status) == -1)
            err_sys("msgctl error");
        printf("msqid = %d, seq = %lu\n", queue, (unsigned long)status.msg_perm.__seq);
        if (msgctl(queue, IPC_RMID, NULL) == -1)
            err_sys("msgctl error");
    }
    return 0;
}
