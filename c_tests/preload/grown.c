/*
 * grown: receivers sleep on a queue that meanwhile becomes much longer than they have it mapped. To be run where
 * messages of 8 MiB may be sent.
 */
#include "ground.h"

enum { LONG = 6000000, SHORT = 10, SLEEPERS = 3 };

static struct message {
    long type;
    char text[LONG];
} message;

static int queue;

static void send_message(long type, size_t size)
{
    message.type = type;
    memset(message.text, 'a' + (int)type, size);
    NEED(msgsnd(queue, &message, size, 0) == 0, "msgsnd of %zu bytes", size);
}

static char state_of(pid_t pid)
{
    char path[64], state = 0;
    FILE *stat;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    stat = fopen(path, "r");
    NEED(stat && fscanf(stat, "%*d (%*[^)]) %c", &state) == 1, "%s", path);
    fclose(stat);
    return state;
}

/* Seen asleep several times, it sleeps in its call. */
static void await_sleep(pid_t pid)
{
    int seen, i;

    for (seen = i = 0; seen < 5; i++) {
        NEED(i < 5000, "it does not sleep");
        seen = state_of(pid) == 'S' ? seen + 1 : 0;
        sleep_ms(2);
    }
}

static pid_t start_receiver(long type)
{
    pid_t pid = fork_bound();

    if (pid == 0) {
        ssize_t size = msgrcv(queue, &message, LONG, type, 0);

        NEED(size > 0, "msgrcv of type %ld", type);
        NEED(message.type == type && message.text[0] == 'a' + type && message.text[size - 1] == 'a' + type, "the text");
        _exit(size == LONG ? 1 : size == SHORT ? 2 : 3);
    }
    await_sleep(pid);
    return pid;
}

int main(void)
{
    static const size_t sizes[SLEEPERS] = {LONG, SHORT, SHORT};
    pid_t pid[SLEEPERS];
    int i;

    queue = msgget(IPC_PRIVATE, 0600);
    NEED(queue != -1, "msgget");
    for (i = 0; i < SLEEPERS; i++)
        pid[i] = start_receiver(i + 1);
    /* The one that makes it longer is received at once, or stays. */
    send_message(1, sizes[0]);
    say("the first: %s", status_text(reap(pid[0])));
    send_message(9, LONG);
    for (i = 1; i < SLEEPERS; i++) {
        send_message(i + 1, sizes[i]);
        say("number %d: %s", i + 1, status_text(reap(pid[i])));
    }
    NEED(msgrcv(queue, &message, LONG, 0, IPC_NOWAIT) == LONG, "the last");
    NEED(msgctl(queue, IPC_RMID, NULL) == 0, "IPC_RMID");
    return 0;
}
