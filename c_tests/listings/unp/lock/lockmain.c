/*
 * UNP vol. 2, figure 9.2, lockpxsem and locksvsem: takes the next twenty numbers from the file seqno, each under
 * the lock, and prints them with its process id.
 */
#include "lock.h"

int main(int argc, char **argv)
{
    int i, fd = open(SEQUENCE_FILE, O_RDWR);

    (void)argc;
    if (fd == -1)
        err_sys("open error for %s", SEQUENCE_FILE);
    for (i = 0; i < 20; i++) {
        long number;

        my_lock();
        number = read_number(fd);
        printf("%s: pid = %ld, seq# = %ld\n", argv[0], (long)getpid(), number);
        write_number(fd, number + 1);
        my_unlock();
    }
    return 0;
}
