/*
 * TLPI 48, supplement: svshm_attach [shmid:address[rR]]...: attaches segments at addresses (0: wherever there is room),
 * r with SHM_RND, R with SHM_RDONLY, shows where, and keeps them for five seconds.
 */
#include "listing.h"
#include <sys/shm.h>

static void attach(int place, const char *argument)
{
    char *end;
    int id = (int)strtol(argument, &end, 0), flags = 0;
    void *address, *attached;

    if (end == argument || *end != ':')
        bad_command_line("Can't parse \"%s\" (expected shmid:address[rR])", argument);
    address = (void *)strtoul(end + 1, &end, 0);
    for (; *end; end++)
        if (*end == 'r')
            flags |= SHM_RND;
        else if (*end == 'R')
            flags |= SHM_RDONLY;
        else
            bad_command_line("Can't parse \"%s\" (expected shmid:address[rR])", argument);
    attached = shmat(id, address, flags);
    if (attached == (void *)-1)
        fail_in("shmat: %s", argument);
    printf("%d: %s ==> %p\n", place, argument, attached);
}

int main(int argc, char **argv)
{
    int i;

    printf("SHMLBA = %ld (%#lx), PID = %ld\n", (long)SHMLBA, (unsigned long)SHMLBA, (long)getpid());
    for (i = 1; i < argc; i++)
        attach(i, argv[i]);
    printf("Sleeping 5 seconds\n");
    sleep(5);
    return 0;
}
