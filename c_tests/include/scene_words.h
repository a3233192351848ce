/* Names for what the trace may not show as a number. */
#ifndef SCENE_WORDS_H
#define SCENE_WORDS_H

#include <errno.h>
#include <signal.h>

#define NAME(constant) case constant: return #constant

SCENE_API const char *errno_name(int number)
{
    switch (number) {
        NAME(E2BIG); NAME(EACCES); NAME(EAGAIN); NAME(EBADF); NAME(EBADMSG); NAME(EBUSY); NAME(ECHILD);
        NAME(EEXIST); NAME(EFAULT); NAME(EIDRM); NAME(EINTR); NAME(EINVAL); NAME(EISDIR); NAME(EMFILE);
        NAME(EMSGSIZE); NAME(ENAMETOOLONG); NAME(ENFILE); NAME(ENOENT); NAME(ENOMEM); NAME(ENOMSG);
        NAME(ENOSPC); NAME(ENOSYS); NAME(ENOTDIR); NAME(ENXIO); NAME(EPERM); NAME(EPIPE); NAME(ERANGE);
        NAME(ESRCH); NAME(ETIMEDOUT); NAME(EXDEV); NAME(EOPNOTSUPP); NAME(ELOOP); NAME(ENODEV); NAME(EOVERFLOW);
        NAME(EROFS); NAME(EFBIG);
    case 0: return "0";
    default: return "E?";
    }
}

SCENE_API const char *signal_name(int number)
{
    switch (number) {
        NAME(SIGABRT); NAME(SIGALRM); NAME(SIGBUS); NAME(SIGCHLD); NAME(SIGCONT); NAME(SIGHUP);
        NAME(SIGINT); NAME(SIGKILL); NAME(SIGPIPE); NAME(SIGQUIT); NAME(SIGSEGV); NAME(SIGSTOP);
        NAME(SIGTERM); NAME(SIGTSTP); NAME(SIGURG); NAME(SIGUSR1); NAME(SIGUSR2); NAME(SIGWINCH);
        NAME(SIGILL); NAME(SIGFPE);
    case 0: return "0";
    default: return number >= SIGRTMIN && number <= SIGRTMAX ? "SIGRT" : "SIG?";
    }
}
#undef NAME

#endif
