/*
 * A process stopped while it sleeps in a call has left the line: the kernel ends the sleep of a stopped
 * task and begins it anew, at the end of the line, when it continues.
 */
#include "scene_block.h"

enum { RETURNED };

static void waiter(void *argument)
{
    arrive();
    block_in(argument);
    bump(RETURNED);
}

static struct actor *blocked(const char *name, struct place *place)
{
    struct actor *actor = spawn(name, waiter, place);

    wait_blocked(actor);
    return actor;
}

static void stop(struct actor *actor)
{
    kill(actor->pid, SIGSTOP);
    wait_state(actor->pid, actor->tid, 'T');
}

/* What comes while the only one in line is stopped stays in the queue, for anybody to take. */
static void stays_in_the_queue(int call)
{
    struct place place = place_new(call);
    struct actor *stopped = blocked("stopped", &place);

    stop(stopped);
    release(&place);
    leavings(&place);
    kill(stopped->pid, SIGCONT);
    while (count(RETURNED) == 0 && !looks_asleep(stopped->pid, stopped->tid))
        usleep(500);
    if (count(RETURNED) == 0)
        release(&place);
    finish(stopped);
    leavings(&place);
}

/* The next in line is served; the stopped one gets what comes after. */
static void next_is_served(int call)
{
    struct place place = place_new(call);
    struct actor *stopped = blocked("stopped", &place), *next = blocked("next", &place);

    stop(stopped);
    release(&place);
    finish(next);
    leavings(&place);
    kill(stopped->pid, SIGCONT);
    while (count(RETURNED) == 1 && !looks_asleep(stopped->pid, stopped->tid))
        usleep(500);
    if (count(RETURNED) == 1)
        release(&place);
    finish(stopped);
    leavings(&place);
}

/* Stopped and continued, the first in line has become the last. */
static void goes_to_the_end(int call)
{
    struct place place = place_new(call);
    struct actor *stopped = blocked("stopped", &place), *next = blocked("next", &place);

    stop(stopped);
    kill(stopped->pid, SIGCONT);
    wait_asleep(stopped);
    release(&place);
    await(RETURNED, 1);
    sleep_ms(5);
    say("served first: %s", looks_asleep(stopped->pid, stopped->tid) ? "the next" : "the stopped one");
    release(&place);
    finish(stopped);
    finish(next);
    leavings(&place);
}

/* Killed while stopped. */
static void killed_while_stopped(int call)
{
    struct place place = place_new(call);
    struct actor *stopped = blocked("stopped", &place);

    stop(stopped);
    kill_to_zombie(stopped);
    release(&place);
    leavings(&place);
    finish(stopped);
}

/* goes_to_the_end is not played with msgsnd: which of two senders that fit goes first is a race. */
SCENES(FOR_CALLS(stays_in_the_queue), FOR_CALLS(next_is_served), FOR_CALLS(killed_while_stopped),
       SCENE_WITH(goes_to_the_end, MSGRCV), SCENE_WITH(goes_to_the_end, MQ_SEND),
       SCENE_WITH(goes_to_the_end, MQ_RECEIVE), SCENE_WITH(goes_to_the_end, MQ_TIMEDSEND),
       SCENE_WITH(goes_to_the_end, MQ_TIMEDRECEIVE))
