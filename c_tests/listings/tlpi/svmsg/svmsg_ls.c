/* TLPI 46, listing 46-6: svmsg_ls: lists all queues by their indexes. */
#include "listing.h"

int main(void)
{
    struct msginfo info;
    struct msqid_ds ds;
    int highest = msgctl(0, MSG_INFO, (struct msqid_ds *)&info), index;

    if (highest == -1)
        fail_in("msgctl MSG_INFO");
    printf("maxind: %d\n\n", highest);
    printf("index     id       key      messages\n");
    for (index = 0; index <= highest; index++) {
        int id = msgctl(index, MSG_STAT, &ds);

        if (id == -1 && errno != EINVAL && errno != EACCES)
            fail_in("msgctl MSG_STAT");
        if (id != -1)
            printf("%4d  %8d  0x%08lx %7ld\n", index, id, (unsigned long)ds.msg_perm.__key, (long)ds.msg_qnum);
    }
    return 0;
}
