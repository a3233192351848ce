/* Calls every exported function but those that end the process, and prints what it gave. The output
 * must be the same on the kernel's queues and however the library was brought in. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_OUR_HEADERS
#include <usipc.h>
#else
#include <mqueue.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/msg.h>
#endif

/* No header of glibc's declares these here. */
int __sigaction(int, const struct sigaction *, struct sigaction *);
sighandler_t bsd_signal(int, sighandler_t);
sighandler_t __sysv_signal(int, sighandler_t);
mqd_t __mq_open_2(const char *, int);
int __poll_chk(struct pollfd *, nfds_t, int, size_t);
int __ppoll_chk(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);
int capset(cap_user_header_t, const cap_user_data_t);
/* Obsolescent: glibc would warn at each call. */
sighandler_t old_sigset(int, sighandler_t) __asm__("sigset");
int old_sigignore(int) __asm__("sigignore");
int old_siginterrupt(int, int) __asm__("siginterrupt");

enum { UNTOUCHED = 4242, SPARE = 40 };

/* Identifiers and descriptors differ from run to run: for those only success counts. */
static int outcome(const char *call, long result, int exact)
{
    int e = errno;

    if (result == -1)
        printf("%s: -1 %s\n", call, strerrorname_np(e));
    else
        printf("%s: %ld%s\n", call, exact ? result : 0, e == UNTOUCHED ? "" : " and errno was changed");
    errno = UNTOUCHED;
    return (int)result;
}
#define VALUE(call) outcome(#call, (long)(call), 1)
#define NEW(call) outcome(#call, (long)(call), 0)

static const struct timespec past = {.tv_sec = 1};
static const char *name;
/* Volatile: the compiler knows which arguments are wrong. */
static struct timespec *volatile forever;
static struct pollfd *volatile nowhere;
static volatile nfds_t too_many = -1;

static void system_v(void)
{
    struct { long type; char text[8]; } message = {7, "seven"};
    struct msqid_ds ds;
    int id;

    NEW(ftok("/", 'u'));
    VALUE(ftok("/nowhere", 'u'));
    VALUE(msgget(0x75736970, 0));
    id = NEW(msgget(IPC_PRIVATE, IPC_CREAT | 0600));
    VALUE(msgsnd(id, &message, 6, IPC_NOWAIT));
    VALUE(msgctl(id, IPC_STAT, &ds));
    VALUE(ds.msg_qnum);
    VALUE(msgrcv(id, &message, sizeof message.text, 7, IPC_NOWAIT));
    VALUE(msgrcv(id, &message, sizeof message.text, 7, IPC_NOWAIT));
    VALUE(msgctl(id, IPC_RMID, NULL));
    VALUE(msgsnd(id, &message, 6, IPC_NOWAIT));
}

static void polled(mqd_t q)
{
    struct pollfd p = {.fd = q, .events = POLLIN | POLLOUT};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT};
    struct timeval none = {0};
    struct timespec zero = {0};
    fd_set in, out;
    int epoll = epoll_create1(0);

    errno = UNTOUCHED;
    VALUE(poll(&p, 1, 0));
    VALUE(p.revents);
    VALUE(ppoll(&p, 1, &zero, NULL));
    VALUE(__poll_chk(&p, 1, 0, sizeof p));
    VALUE(__ppoll_chk(&p, 1, &zero, NULL, sizeof p));
    FD_ZERO(&in);
    FD_SET(q, &in);
    out = in;
    VALUE(select(q + 1, &in, &out, NULL, &none));
    VALUE(FD_ISSET(q, &in) != 0);
    VALUE(pselect(q + 1, &in, &out, NULL, &zero, NULL));
    VALUE(epoll_ctl(epoll, EPOLL_CTL_ADD, q, &event));
    VALUE(epoll_wait(epoll, &event, 1, 0));
    VALUE(event.events);
    VALUE(epoll_ctl(epoll, EPOLL_CTL_DEL, q, NULL));
    VALUE(epoll_ctl(epoll, EPOLL_CTL_MOD, q, &event));
    VALUE(poll(nowhere, 1, 0));
    VALUE(poll(&p, too_many, 0));
    VALUE(select(-1, NULL, NULL, NULL, &none));
    close(epoll);
    errno = UNTOUCHED;
}

static void posix(void)
{
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 16}, got;
    struct sigevent silent = {.sigev_notify = SIGEV_NONE};
    char text[16];
    unsigned priority;
    mqd_t q, again;

    VALUE(mq_open(name, O_RDWR));
    q = NEW(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr));
    again = NEW(__mq_open_2(name, O_WRONLY | O_NONBLOCK));
    polled(q);
    VALUE(mq_notify(q, &silent));
    VALUE(dup2(-1, q)); /* leaves the queue and the request alone */
    VALUE(mq_notify(again, &silent));
    VALUE(mq_notify(q, NULL));
    VALUE(mq_notify(again, NULL));
    VALUE(mq_send(q, "low", 4, 1));
    polled(q);
    VALUE(mq_timedsend(q, "high", 5, 32767, forever));
    polled(q);
    VALUE(mq_timedsend(q, "late", 5, 0, &past));
    VALUE(mq_send(again, "no room", 8, 0));
    VALUE(mq_send(q, "", 0, 32768));
    VALUE(mq_receive(again, text, sizeof text, NULL));
    VALUE(mq_receive(q, text, sizeof text, &priority));
    VALUE(priority);
    VALUE(mq_timedreceive(q, text, sizeof text, &priority, forever));
    VALUE(mq_timedreceive(q, text, sizeof text, &priority, &past));
    attr.mq_flags = O_NONBLOCK;
    VALUE(mq_setattr(q, &attr, NULL));
    VALUE(mq_getattr(q, &got));
    VALUE(got.mq_flags == O_NONBLOCK && got.mq_maxmsg == 2 && got.mq_curmsgs == 0);
    VALUE(mq_receive(q, text, sizeof text, NULL));
    VALUE(mq_close(again));
    VALUE(mq_close(again));
    VALUE(close(q));
    VALUE(mq_getattr(q, &got));
    VALUE(mq_unlink(name));
    VALUE(mq_unlink(name));
}

/* The C library's own calls work on what sem_open returns. glibc itself changes errno in the one that creates. */
static void named(void)
{
    char own[64];
    struct stat st;
    sem_t *sem;
    int fd, value;

    /* glibc has these names in a directory that all share. */
    snprintf(own, sizeof own, "%s-%d", name, (int)getpid());
    VALUE(sem_open(own, O_RDWR) != SEM_FAILED || errno != ENOENT);
    sem = sem_open(own, O_RDWR | O_CREAT | O_EXCL, 0600, 2);
    errno = UNTOUCHED;
    VALUE(sem_open(own, 0) == sem);
    VALUE(sem_open(own, O_CREAT | O_EXCL, 0600, 1) != SEM_FAILED || errno != EEXIST);
    errno = UNTOUCHED;
    VALUE(sem_wait(sem));
    VALUE(sem_post(sem));
    VALUE(sem_post(sem));
    VALUE(sem_getvalue(sem, &value));
    VALUE(value);
    VALUE(sem_close(sem));
    VALUE(sem_close(sem));
    VALUE(sem_close(sem));
    VALUE(sem_unlink(own));
    VALUE(sem_unlink(own));
    VALUE(shm_open(own, O_RDWR, 0));
    fd = NEW(shm_open(own, O_RDWR | O_CREAT | O_EXCL, 0640));
    VALUE(ftruncate(fd, 5000));
    VALUE(fstat(fd, &st));
    VALUE(st.st_size);
    VALUE(fcntl(fd, F_GETFD));
    VALUE(shm_open(own, O_CREAT | O_EXCL | O_RDWR, 0600));
    VALUE(close(fd));
    VALUE(shm_unlink(own));
    VALUE(shm_unlink(own));
}

static void handler(int signal)
{
    (void)signal;
}

static void signals(void)
{
    struct sigaction action = {.sa_handler = handler};

    VALUE(sigaction(SIGUSR1, &action, NULL));
    VALUE(__sigaction(SIGUSR1, NULL, &action));
    VALUE(action.sa_handler == handler);
    VALUE((unsigned)action.sa_flags);
    VALUE(sigaction(SIGKILL, &action, NULL));
    VALUE(signal(SIGUSR1, SIG_IGN) == handler);
    VALUE(bsd_signal(SIGUSR1, handler) == SIG_IGN);
    VALUE(ssignal(SIGUSR1, handler) == handler);
    VALUE(sysv_signal(SIGUSR1, handler) == handler);
    sigaction(SIGUSR1, NULL, &action);
    VALUE((unsigned)action.sa_flags);
    VALUE(__sysv_signal(SIGUSR1, SIG_DFL) == handler);
    VALUE(old_sigset(SIGUSR1, handler) == SIG_DFL);
    VALUE(old_siginterrupt(SIGUSR1, 0));
    sigaction(SIGUSR1, NULL, &action);
    VALUE((unsigned)action.sa_flags);
    VALUE(old_sigignore(SIGUSR1));
    VALUE(raise(SIGUSR1));
    VALUE((long)signal(1000, SIG_IGN));
    VALUE((long)old_sigset(1000, SIG_IGN));
    VALUE(old_sigignore(1000));
    VALUE(old_siginterrupt(1000, 1));
}

static void descriptors(void)
{
    VALUE(dup2(0, SPARE));
    VALUE(dup2(SPARE, SPARE));
    VALUE(dup3(SPARE, SPARE + 1, O_CLOEXEC));
    VALUE(dup3(SPARE, SPARE, 0));
    VALUE(dup2(SPARE + 9, SPARE));
    VALUE(dup2(SPARE + 9, SPARE + 9));
    VALUE(close(SPARE));
    VALUE(close(SPARE));
    VALUE(close(-1));
    VALUE(close_range(SPARE, SPARE + 9, 0));
    VALUE(close_range(2, 1, 0));
    VALUE(fcntl(SPARE + 1, F_GETFD));
    VALUE(dup2(0, SPARE + 9));
    VALUE((closefrom(SPARE), 0));
    VALUE(fcntl(SPARE + 9, F_GETFD));
}

static void credentials(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    gid_t groups[64];
    int n = getgroups(64, groups);

    VALUE(setgroups(n, groups));
    VALUE(initgroups("root", getgid()));
    VALUE(setegid(getegid()));
    VALUE(setregid(-1, getegid()));
    VALUE(setresgid(-1, -1, getegid()));
    VALUE(setgid(getgid()));
    VALUE(seteuid(geteuid()));
    VALUE(setreuid(-1, geteuid()));
    VALUE(setresuid(-1, -1, geteuid()));
    VALUE(setuid(getuid()));
    VALUE(setresuid(-2, -2, -2));
    VALUE(chroot("no such directory"));
    VALUE(capset(&header, data));
    VALUE(setgroups(n, groups));
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    name = argv[1];
    setvbuf(stdout, NULL, _IOLBF, 0); /* says how far it came, if it dies */
    errno = UNTOUCHED;
    system_v();
    posix();
    named();
    signals();
    descriptors();
    credentials();
    return 0;
}
