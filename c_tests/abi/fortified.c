/* What _FORTIFY_SOURCE makes of a wrong call ends the process by SIGABRT, with glibc's words. */
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <stdlib.h>

mqd_t __mq_open_2(const char *, int);
int __poll_chk(struct pollfd *, nfds_t, int, size_t);

int main(int argc, char **argv)
{
    struct pollfd p = {.fd = -1};

    if (argc != 2)
        return 2;
    if (argv[1][0] == 'p')
        return __poll_chk(&p, 2, 0, sizeof p);
    return __mq_open_2("/fortified", O_RDWR | O_CREAT);
}
