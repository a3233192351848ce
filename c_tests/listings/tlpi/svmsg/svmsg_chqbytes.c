/* svmsg_chqbytes msqid max-bytes: how many bytes the queue may hold. */
#include "listing.h"

int main(int argc, char **argv)
{
    struct msqid_ds ds;
    int id;

    if (argc != 3)
        usage(argv[0], "msqid max-bytes");
    id = (int)number(argv[1], 0);
    if (msgctl(id, IPC_STAT, &ds) == -1)
        fail_in("msgctl IPC_STAT");
    ds.msg_qbytes = (msglen_t)number(argv[2], 0);
    if (msgctl(id, IPC_SET, &ds) == -1)
        fail_in("msgctl IPC_SET");
    return 0;
}
