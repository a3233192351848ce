/* TLPI 46, listing 46-5: svmsg_chqbytes msqid max-bytes: how many bytes the queue may hold. */
#include "listing.h"

int main(int argc, char **argv)
{
    struct msqid_ds ds;
    int id;

    if (argc != 3)
        usage(argv[0], "msqid max-bytes");
    id = number(argv[1], 10, "msqid");
    if (msgctl(id, IPC_STAT, &ds) == -1)
        fail_in("msgctl IPC_STAT");
    ds.msg_qbytes = (msglen_t)number(argv[2], 10, "max-bytes");
    if (msgctl(id, IPC_SET, &ds) == -1)
        fail_in("msgctl IPC_SET");
    return 0;
}
