/*
 * UNP vol. 2, chapter 13, test1 <name> <shmsize> <mmapsize>: looks at the ends of each page of a mapping, which may be
 * longer than its object, and then behind it: SIGBUS behind the object's last page, SIGSEGV behind the mapping's.
 */
#include "pxshm.h"

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* An address with nothing behind the mapping, where the system might put it before another. */
static void *lonely_address(size_t size, size_t page)
{
    void *hole = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (hole == MAP_FAILED)
        err_sys("mmap error");
    return hole;
}

static void look(const char *memory, size_t at) { printf("ptr[%zu] = %d\n", at, memory[at]); }

int main(int argc, char **argv)
{
    size_t at, size, mapping, longer, page = (size_t)sysconf(_SC_PAGESIZE);
    int object;
    char *memory;

    if (argc != 4)
        err_quit("usage: test1 <name> <shmsize> <mmapsize>");
    size = (size_t)atoi(argv[2]);
    mapping = (size_t)atoi(argv[3]);
    longer = larger(size, mapping);
    object = open_shm(px_ipc_name(argv[1]), O_RDWR | O_CREAT | O_TRUNC);
    resize(object, (off_t)size);
    memory = mmap(lonely_address(longer, page), mapping, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, object, 0);
    if (memory == MAP_FAILED)
        err_sys("mmap error");
    close(object);
    printf("PAGESIZE = %zu\n", page);
    for (at = 0; at < longer; at += page) {
        look(memory, at);
        memory[at] = 1;
        look(memory, at + page - 1);
        memory[at + page - 1] = 1;
    }
    look(memory, at);
    return 0;
}
