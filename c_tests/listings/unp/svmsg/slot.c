/* UNP vol. 2, chapter 3, slot: ten queues one after the other in the same place: no identifier comes twice. */
#include "../../listing.h"

int main(void)
{
    int turn, queue;

    for (turn = 0; turn < 10; turn++) {
        queue = msgget(IPC_PRIVATE, SVMSG_MODE | IPC_CREAT);
        if (queue == -1)
            err_sys("msgget error");
        printf("msqid = %d\n", queue);
        if (msgctl(queue, IPC_RMID, NULL) == -1)
            err_sys("msgctl error");
    }
    return 0;
}
