/* UNP vol. 2, chapter 3, twoqueues: IPC_PRIVATE makes another queue every time. */
#include "../../listing.h"

int main(void)
{
    int first = msgget(IPC_PRIVATE, SVMSG_MODE | IPC_CREAT), second = msgget(IPC_PRIVATE, SVMSG_MODE | IPC_CREAT);

    if (first == -1 || second == -1)
        err_sys("msgget error");
    printf("msqid1 = %d, msqid2 = %d\n", first, second);
    if (msgctl(first, IPC_RMID, NULL) == -1 || msgctl(second, IPC_RMID, NULL) == -1)
        err_sys("msgctl error");
    return 0;
}
