/*
 * UNP vol. 2, appendix A, looppxsem and loopsvsem <loopcount>: takes so many numbers from the file seqno, each under the
 * lock: to be timed.
 */
#include "lock.h"

int main(int argc, char **argv)
{
    long i, loops;
    int fd;

    if (argc != 2)
        err_quit("usage: loop <loopcount>");
    loops = atol(argv[1]);
    fd = open(SEQUENCE_FILE, O_RDWR | O_CREAT, FILE_MODE);
    if (fd == -1)
        err_sys("open error for %s", SEQUENCE_FILE);
    for (i = 0; i < loops; i++) {
        my_lock();
        write_number(fd, read_number(fd) + 1);
        my_unlock();
    }
    return 0;
}
