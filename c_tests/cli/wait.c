/* Prints what wait(2) says to a program that made no child, and whether the program is a subreaper. */
#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

int main(void)
{
    int subreaper = -1;
    pid_t child = wait(NULL);
    const char *what = child == -1 && errno == ECHILD ? "ECHILD" : "a child or another error";

    prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
    printf("%s, subreaper %d\n", what, subreaper);
    return 0;
}
