/* UNP vol. 2, chapter 6: takes all children that have ended. */
#include "../../listing.h"
#include <sys/wait.h>

void sig_chld(int signal_number)
{
    int error = errno;

    (void)signal_number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = error;
}
