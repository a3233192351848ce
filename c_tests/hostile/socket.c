/* socket PATH: leaves a socket there. */
#include "ground.h"
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    NEED(argc == 2 && strlen(argv[1]) < sizeof address.sun_path, "usage: socket PATH");
    strcpy(address.sun_path, argv[1]);
    NEED(fd != -1 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    return 0;
}
