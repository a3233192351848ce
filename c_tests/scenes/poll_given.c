/*
 * Descriptors that came by exec or by a socket, of queues that were polled before or not: the first thing that is done with
 * them is to poll.
 */
#include "scene_poll.h"
#include "scene_pass.h"

enum { NEVER, BEFORE, BY_A_COPY };

struct channel {
    int end;
    int held;
};

/* Polls, and goes on from there: from so many messages of two to full and to empty. */
static void looks(mqd_t mqd, int held)
{
    say_poll(mqd);
    for (int i = held; i < 2; i++) {
        mq_put(mqd, "x", 0);
        say_poll(mqd);
    }
    for (int i = 0; i < 2; i++) {
        mq_rcv(mqd);
        say_poll(mqd);
    }
}

/* A queue of two messages, `held` of them there, which was polled `when`. */
static mqd_t polled(int held, int when)
{
    mqd_t mqd = mq_new(2);

    for (int i = 0; i < held; i++)
        mq_put(mqd, "x", 0);
    if (when == BEFORE)
        say_poll(mqd);
    if (when == BY_A_COPY) {
        mqd_t copy = mq_again(O_RDWR);

        say_poll(copy);
        mq_close(copy);
    }
    return mqd;
}

static void execs(void *argument)
{
    const struct channel *kept = argument;
    char number[16], held[16];

    snprintf(number, sizeof number, "%d", kept->end);
    snprintf(held, sizeof held, "%d", kept->held);
    execl("/proc/self/exe", "poll_given", "--use", number, held, (char *)NULL);
}

static void kept_over_exec(int when)
{
    for (int held = 0; held <= 2; held++) {
        mqd_t mqd = polled(held, when);

        say("%d of 2", held);
        need(fcntl(mqd, F_SETFD, 0) == 0, "F_SETFD");
        finish(spawn("child", execs, &(struct channel){mqd, held}));
        say_poll(mqd);
        mq_put(mqd, "x", 0);
        say_poll(mqd);
        mq_close(mqd);
        mq_unlink(MQ_NAME);
    }
}

static void takes(void *argument)
{
    const struct channel *channel = argument;

    looks(take_over(channel->end), channel->held);
}

static void passed_over(int when)
{
    for (int held = 0; held <= 2; held++) {
        struct channel channel = {.held = held};
        struct actor *actor;
        int ends[2];
        mqd_t mqd;

        say("%d of 2", held);
        need(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
        channel.end = ends[1];
        actor = spawn("taker", takes, &channel);
        mqd = polled(held, when);
        hand_over(ends[0], mqd);
        finish(actor);
        say_poll(mqd);
        mq_put(mqd, "x", 0);
        say_poll(mqd);
        mq_close(mqd);
        mq_unlink(MQ_NAME);
    }
}

static const struct scene scenes[] = {
    SCENE_WITH(kept_over_exec, NEVER),
    SCENE_WITH(kept_over_exec, BEFORE),
    SCENE_WITH(kept_over_exec, BY_A_COPY),
    SCENE_WITH(passed_over, NEVER),
    SCENE_WITH(passed_over, BEFORE),
    SCENE_WITH(passed_over, BY_A_COPY),
};

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--use") == 0) {
        looks(atoi(argv[2]), atoi(argv[3]));
        return 0;
    }
    return scene_main(argc, argv, scenes, LENGTH(scenes));
}
