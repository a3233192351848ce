/* UNP vol. 2, chapters 9 to 11: the lock that the programs here are linked with. */
#ifndef LOCK_H
#define LOCK_H

#include "../../listing.h"

#define SEQUENCE_FILE "seqno"

void my_lock(void);
void my_unlock(void);

/* The number in the file. */
LISTING_API long read_number(int fd)
{
    char line[64];
    ssize_t length = pread(fd, line, sizeof line - 1, 0);

    if (length == -1)
        err_sys("read error");
    line[length] = '\0';
    return atol(line);
}

LISTING_API void write_number(int fd, long number)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%ld\n", number);

    if (pwrite(fd, line, (size_t)length, 0) != length)
        err_sys("write error");
}

#endif
