/* UNP vol. 2, chapter 6, ctl: the figures of a queue with one byte in it, and what ipcs makes of it. */
#include "../../listing.h"

int main(void)
{
    struct { long type; char text[1]; } message = {1, {1}};
    struct msqid_ds status;
    int queue = msgget(IPC_PRIVATE, SVMSG_MODE | IPC_CREAT);

    if (queue == -1)
        err_sys("msgget error");
    if (msgsnd(queue, &message, sizeof message.text, 0) == -1)
        err_sys("msgsnd error");
    if (msgctl(queue, IPC_STAT, &status) == -1)
        err_sys("msgctl error");
    printf("read-write: %03o, cbytes = %lu, qnum = %lu, qbytes = %lu\n", (unsigned)status.msg_perm.mode & 0777,
           (unsigned long)status.__msg_cbytes, (unsigned long)status.msg_qnum, (unsigned long)status.msg_qbytes);
    if (system("ipcs -q") == -1)
        err_sys("system error");
    if (msgctl(queue, IPC_RMID, NULL) == -1)
        err_sys("msgctl error");
    return 0;
}
