/* UNP vol. 2, figure 12.15, incr_dev_zero <#loops>: the shared counter needs no file of ours, by mapping /dev/zero. */
#include "incr.h"

int main(int argc, char **argv)
{
    int fd, *counter;

    if (argc != 2)
        err_quit("usage: incr_dev_zero <#loops>");
    fd = open("/dev/zero", O_RDWR);
    if (fd == -1)
        err_sys("open error for /dev/zero");
    counter = mapped(fd, sizeof *counter, MAP_SHARED);
    parent_and_child(nameless_semaphore(), counter, atoi(argv[1]));
}
