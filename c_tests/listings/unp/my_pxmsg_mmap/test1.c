/*
 * UNP vol. 2, chapter 5, testmymq <name>: goes through what message queues promise: names, attributes, order, limits,
 * waiting, notification. Says what it has seen; ends with 1 at the first broken promise.
 */
#include "../../listing.h"
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#define MAXMSG 4
#define MSGSIZE 7

static const char *name;

/* The call must have failed, for that reason. */
static void refused(const char *call, long result, int error)
{
    if (result != -1 || errno != error)
        err_sys("%s returned %ld, expected %s", call, result, strerrorname_np(error));
}

static void done(const char *call, long result)
{
    if (result == -1)
        err_sys("%s error", call);
}

static mqd_t open_queue(int flags)
{
    struct mq_attr attr = {.mq_maxmsg = MAXMSG, .mq_msgsize = MSGSIZE};
    mqd_t queue = mq_open(name, flags, FILE_MODE, &attr);

    if (queue == (mqd_t)-1)
        err_sys("mq_open error for %s", name);
    return queue;
}

static void has_attributes(mqd_t queue, long maxmsg, long msgsize, long flags, long curmsgs)
{
    struct mq_attr is;

    done("mq_getattr", mq_getattr(queue, &is));
    if (is.mq_maxmsg != maxmsg || is.mq_msgsize != msgsize || is.mq_flags != flags || is.mq_curmsgs != curmsgs)
        err_quit("maxmsg = %ld, msgsize = %ld, flags = %ld, curmsgs = %ld", is.mq_maxmsg, is.mq_msgsize, is.mq_flags,
                 is.mq_curmsgs);
}

/* A message of as many bytes as its priority. */
static void send_one(mqd_t queue, unsigned priority)
{
    done("mq_send", mq_send(queue, "1234567", priority, priority));
}

static void receive_one(mqd_t queue, unsigned expected)
{
    char message[MSGSIZE];
    unsigned priority;
    ssize_t length = mq_receive(queue, message, sizeof message, &priority);

    done("mq_receive", length);
    if (length != (ssize_t)expected || priority != expected || memcmp(message, "1234567", expected) != 0)
        err_quit("mq_receive returned %ld, priority %u, expected %u", (long)length, priority, expected);
}

static void names(void)
{
    struct mq_attr is;
    mqd_t queue;

    mq_unlink(name);
    refused("mq_unlink", mq_unlink(name), ENOENT);
    refused("mq_open", mq_open(name, O_RDWR), ENOENT);
    queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, FILE_MODE, NULL);
    done("mq_open", queue);
    done("mq_getattr", mq_getattr(queue, &is));
    printf("message queue defaults: maxmsg = %ld, msgsize = %ld, flags = %ld, curmsgs = %ld\n", is.mq_maxmsg,
           is.mq_msgsize, is.mq_flags, is.mq_curmsgs);
    refused("mq_open", mq_open(name, O_CREAT | O_EXCL | O_RDWR, FILE_MODE, NULL), EEXIST);
    done("mq_unlink", mq_unlink(name));
    /* Without its name it goes on for who has it open. */
    done("mq_send", mq_send(queue, "", 0, 0));
    refused("mq_open", mq_open(name, O_RDWR), ENOENT);
    done("mq_close", mq_close(queue));
    refused("mq_close", mq_close(queue), EBADF);
    refused("mq_send", mq_send(queue, "", 0, 0), EBADF);
    printf("names: open, O_EXCL, unlink, close as expected\n");
}

static void attributes(void)
{
    struct mq_attr bad = {.mq_maxmsg = 0, .mq_msgsize = MSGSIZE}, set = {.mq_flags = O_NONBLOCK}, was;
    mqd_t queue, second;

    refused("mq_open", mq_open(name, O_CREAT | O_RDWR, FILE_MODE, &bad), EINVAL);
    bad.mq_maxmsg = MAXMSG, bad.mq_msgsize = -1;
    refused("mq_open", mq_open(name, O_CREAT | O_RDWR, FILE_MODE, &bad), EINVAL);
    queue = open_queue(O_CREAT | O_EXCL | O_RDWR);
    second = open_queue(O_RDONLY);
    has_attributes(queue, MAXMSG, MSGSIZE, 0, 0);
    done("mq_setattr", mq_setattr(queue, &set, &was));
    if (was.mq_flags != 0 || was.mq_maxmsg != MAXMSG)
        err_quit("mq_setattr: flags were %ld, maxmsg %ld", was.mq_flags, was.mq_maxmsg);
    has_attributes(queue, MAXMSG, MSGSIZE, O_NONBLOCK, 0);
    /* O_NONBLOCK is of one opening. */
    has_attributes(second, MAXMSG, MSGSIZE, 0, 0);
    refused("mq_send", mq_send(second, "", 0, 0), EBADF);
    done("mq_close", mq_close(second));
    done("mq_close", mq_close(queue));
    printf("attributes as expected\n");
}

static void messages(void)
{
    static const unsigned sent[] = {3, 5, 0, 7}, received[] = {7, 5, 3, 0};
    char message[MSGSIZE + 1] = "";
    mqd_t queue = open_queue(O_RDWR | O_NONBLOCK);
    int i;

    refused("mq_receive", mq_receive(queue, message, MSGSIZE, NULL), EAGAIN);
    refused("mq_send", mq_send(queue, message, MSGSIZE + 1, 0), EMSGSIZE);
    refused("mq_send", mq_send(queue, message, 1, 32768), EINVAL);
    for (i = 0; i < MAXMSG; i++)
        send_one(queue, sent[i]);
    has_attributes(queue, MAXMSG, MSGSIZE, O_NONBLOCK, MAXMSG);
    refused("mq_send", mq_send(queue, "", 0, 0), EAGAIN);
    refused("mq_receive", mq_receive(queue, message, MSGSIZE - 1, NULL), EMSGSIZE);
    for (i = 0; i < MAXMSG; i++)
        receive_one(queue, received[i]);
    /* Of one priority: the first is the first. */
    done("mq_send", mq_send(queue, "a", 1, 1));
    done("mq_send", mq_send(queue, "b", 1, 1));
    if (mq_receive(queue, message, MSGSIZE, NULL) != 1 || message[0] != 'a' ||
        mq_receive(queue, message, MSGSIZE, NULL) != 1 || message[0] != 'b')
        err_quit("messages of one priority come in another order");
    done("mq_close", mq_close(queue));
    printf("messages: priorities, sizes, full and empty as expected\n");
}

static void woken(int signal_number) { (void)signal_number; }

/* The timer goes off again and again: the first time may be before the call waits. */
static void interrupted(void)
{
    struct itimerval soon = {{0, 100000}, {0, 100000}}, never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = woken};
    mqd_t queue = open_queue(O_RDWR);
    char message[MSGSIZE];
    int i;

    done("sigaction", sigaction(SIGALRM, &action, NULL));
    done("setitimer", setitimer(ITIMER_REAL, &soon, NULL));
    refused("mq_receive", mq_receive(queue, message, sizeof message, NULL), EINTR);
    printf("mq_receive interrupted, as expected\n");
    for (i = 0; i < MAXMSG; i++)
        while (mq_send(queue, "1", 1, 1) == -1)
            if (errno != EINTR)
                err_sys("mq_send error");
    refused("mq_send", mq_send(queue, "", 0, 0), EINTR);
    printf("mq_send interrupted, as expected\n");
    done("setitimer", setitimer(ITIMER_REAL, &never, NULL));
    for (i = 0; i < MAXMSG; i++)
        receive_one(queue, 1);
    done("mq_close", mq_close(queue));
}

static int state(pid_t process)
{
    char path[64], line[256], *end;
    FILE *stat;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)process);
    stat = fopen(path, "r");
    if (!stat || !fgets(line, sizeof line, stat) || !(end = strrchr(line, ')')))
        err_sys("cannot read %s", path);
    fclose(stat);
    return end[2];
}

static void until_asleep(pid_t process)
{
    int seen;

    for (seen = 0; seen < 4; usleep(10000))
        seen = state(process) == 'S' ? seen + 1 : 0;
}

/* A child that runs `work`, asleep in it by now. */
static pid_t sleeper(void (*work)(mqd_t), mqd_t queue)
{
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == -1)
        err_sys("fork error");
    if (child == 0) {
        work(queue);
        exit(0);
    }
    until_asleep(child);
    return child;
}

static void ended(pid_t child)
{
    int status;

    if (waitpid(child, &status, 0) == -1 || status != 0)
        err_quit("the child failed: %d", status);
}

static void child_receives(mqd_t queue) { receive_one(queue, 2); }

static void child_sends(mqd_t queue) { send_one(queue, 6); }

static void blocked(void)
{
    mqd_t queue = open_queue(O_RDWR);
    pid_t child = sleeper(child_receives, queue);
    int i;

    has_attributes(queue, MAXMSG, MSGSIZE, 0, 0);
    send_one(queue, 2);
    ended(child);
    printf("a message ends the wait of a receiver, as expected\n");
    for (i = 0; i < MAXMSG; i++)
        send_one(queue, 1);
    child = sleeper(child_sends, queue);
    receive_one(queue, 1);
    ended(child);
    receive_one(queue, 6);
    for (i = 1; i < MAXMSG; i++)
        receive_one(queue, 1);
    printf("room ends the wait of a sender, as expected\n");
    done("mq_close", mq_close(queue));
}

/* Whether SIGUSR1, which is blocked, has come from a queue. */
static int notified(int within_s)
{
    struct timespec soon = {.tv_sec = within_s, .tv_nsec = 100000000};
    siginfo_t info;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    if (sigtimedwait(&set, &info, &soon) == -1)
        return 0;
    if (info.si_code != SI_MESGQ || info.si_value.sival_int != 77)
        err_quit("si_code = %d, si_value = %d", info.si_code, info.si_value.sival_int);
    return 1;
}

static int register_for(mqd_t queue)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77};

    return mq_notify(queue, &event);
}

static void expect_notice(int expected, const char *when)
{
    if (notified(expected ? 10 : 0) != expected)
        err_quit("%snotified: %s", expected ? "not " : "", when);
    printf("%snotified: %s\n", expected ? "" : "not ", when);
}

static void child_registers(mqd_t queue)
{
    refused("mq_notify", register_for(queue), EBUSY);
    refused("mq_notify", mq_notify(queue, &(struct sigevent){.sigev_notify = 12345}), EINVAL);
}

static void notification(void)
{
    mqd_t queue = open_queue(O_RDWR);
    sigset_t set;
    pid_t child;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    done("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
    done("mq_notify", register_for(queue));
    send_one(queue, 1);
    expect_notice(1, "a message on the empty queue");
    receive_one(queue, 1);
    send_one(queue, 1);
    expect_notice(0, "the registration was for one message");
    done("mq_notify", register_for(queue));
    send_one(queue, 2);
    expect_notice(0, "the queue was not empty");
    refused("mq_notify", register_for(queue), EBUSY);
    fflush(stdout);
    if ((child = fork()) == 0) {
        child_registers(queue);
        exit(0);
    }
    ended(child);
    done("mq_notify", mq_notify(queue, NULL));
    receive_one(queue, 2);
    receive_one(queue, 1);
    send_one(queue, 1);
    expect_notice(0, "the registration was taken back");
    receive_one(queue, 1);
    done("mq_notify", register_for(queue));
    child = sleeper(child_receives, queue);
    send_one(queue, 2);
    ended(child);
    expect_notice(0, "a receiver was waiting");
    send_one(queue, 1);
    expect_notice(1, "the next message");
    done("mq_close", mq_close(queue));
}

int main(int argc, char **argv)
{
    if (argc != 2)
        err_quit("usage: testmymq <name>");
    name = argv[1];
    names();
    attributes();
    messages();
    interrupted();
    blocked();
    notification();
    done("mq_unlink", mq_unlink(name));
    return 0;
}
