/* UNP vol. 2, chapter 10: a file to standard output, block by block. */
#ifndef MYCAT_H
#define MYCAT_H

#include "../../listing.h"

struct block {
    ssize_t length;
    char bytes[8192];
};

static int open_file(const char *path)
{
    int file = open(path, O_RDONLY);

    if (file == -1)
        err_sys("open error for %s", path);
    return file;
}

static ssize_t read_block(int file, struct block *block)
{
    block->length = read(file, block->bytes, sizeof block->bytes);
    if (block->length == -1)
        err_sys("read error");
    return block->length;
}

static void write_block(const struct block *block)
{
    if (write(STDOUT_FILENO, block->bytes, (size_t)block->length) != block->length)
        err_sys("write error");
}

#endif
