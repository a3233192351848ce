/* UNP vol. 2, chapter 10, mycat1 <pathname>: a file to standard output through one buffer: reads, writes, reads, writes. */
#include "mycat.h"

int main(int argc, char **argv)
{
    static struct block block;
    int file;

    if (argc != 2)
        err_quit("usage: mycat1 <pathname>");
    file = open_file(argv[1]);
    while (read_block(file, &block) > 0)
        write_block(&block);
    return 0;
}
