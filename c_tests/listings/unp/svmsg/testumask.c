/* UNP vol. 2, chapter 3, testumask: the umask takes bits from a FIFO (here in the current directory), none from a queue. */
#include "../../listing.h"

#define FIFO "fifo.1"

int main(void)
{
    if (msgget(IPC_PRIVATE, 0666 | IPC_CREAT | IPC_EXCL) == -1)
        err_sys("msgget error");
    unlink(FIFO);
    if (mkfifo(FIFO, 0666) == -1)
        err_sys("mkfifo error");
    return 0;
}
