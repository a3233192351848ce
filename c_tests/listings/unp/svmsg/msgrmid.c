/* UNP vol. 2, figure 6.7, msgrmid <pathname>: removes a queue. */
#include "../../listing.h"

int main(int argc, char **argv)
{
    int queue;

    if (argc != 2)
        err_quit("usage: msgrmid <pathname>");
    queue = msgget(key_of(argv[1], 0), 0);
    if (queue == -1)
        err_sys("msgget error");
    if (msgctl(queue, IPC_RMID, NULL) == -1)
        err_sys("msgctl error");
    return 0;
}
