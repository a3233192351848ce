/*
 * UNP vol. 2, chapter 13, test3 <name>: two processes map an object and a file in different order, so that the object is
 * at different addresses, and yet the same. The file is the program: /etc/motd, the book's, may be missing or empty.
 */
#include "pxshm.h"
#include <sys/wait.h>

static int object, file;
static size_t file_size;

static void in_child(void)
{
    void *motd = mapped(file, file_size, PROT_READ);
    int *number = map_for_writing(object, sizeof *number);

    printf("child: shm ptr = %p, motd ptr = %p\n", (void *)number, motd);
    sleep(5);
    printf("shared memory integer = %d\n", *number);
    exit(0);
}

int main(int argc, char **argv)
{
    void *motd;
    int *number;
    pid_t child;

    if (argc != 2)
        err_quit("usage: test3 <name>");
    shm_unlink(px_ipc_name(argv[1]));
    object = open_shm(px_ipc_name(argv[1]), O_RDWR | O_CREAT | O_EXCL);
    resize(object, sizeof(int));
    file = open(argv[0], O_RDONLY);
    if (file == -1)
        err_sys("open error for %s", argv[0]);
    file_size = size_of(file);
    child = fork();
    if (child == -1)
        err_sys("fork error");
    if (child == 0)
        in_child();
    number = map_for_writing(object, sizeof *number);
    motd = mapped(file, file_size, PROT_READ);
    printf("parent: shm ptr = %p, motd ptr = %p\n", (void *)number, motd);
    *number = 777;
    if (waitpid(child, NULL, 0) == -1)
        err_sys("waitpid error");
    return 0;
}
