/* TLPI 46, supplement: svmsg_info: MSG_INFO, what all queues take together. The book's "msg_bytes" is msgmax. */
#include "listing.h"

int main(void)
{
    struct msginfo info;
    int highest = msgctl(0, MSG_INFO, (struct msqid_ds *)&info);

    if (highest == -1)
        fail_in("msgctl");
    printf("Maximum ID index = %d\n", highest);
    printf("queues in_use    = %d\n", info.msgpool);
    printf("msg_hdrs         = %d\n", info.msgmap);
    printf("msg_bytes        = %d\n", info.msgmax);
    return 0;
}
