/*
 * start LIBRARY MOST: page faults are most of what the library adds to the start of a program, and unlike time they can be
 * counted. It adds no more than MOST to those of /bin/true.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 20 };

/* The least of several rounds: what is in memory already does not fault. */
static long faults(const char *library)
{
    long least = -1;

    for (int i = 0; i < ROUNDS; i++) {
        struct rusage used;
        int status;
        pid_t pid = fork();

        if (pid == 0) {
            if (library)
                setenv("LD_PRELOAD", library, 1);
            execl("/bin/true", "true", (char *)NULL);
            _exit(127);
        }
        if (pid == -1 || wait4(pid, &status, 0, &used) != pid || status != 0)
            fprintf(stderr, "/bin/true fails: status %d\n", status), exit(2);
        if (least == -1 || used.ru_minflt < least)
            least = used.ru_minflt;
    }
    return least;
}

int main(int argc, char **argv)
{
    long without, with, most = argc > 2 ? atol(argv[2]) : 0;

    unsetenv("LD_PRELOAD");
    without = faults(NULL), with = faults(argv[1]);
    if (with - without <= most)
        return 0;
    printf("the library adds %ld page faults to the start of a program (%ld without it); at most %ld are allowed\n",
           with - without, without, most);
    return 1;
}
