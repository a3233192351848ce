/*
 * siglongjmp out of a blocked call (UNP and TLPI do it, and so may anybody): the queue is as if the
 * call had never been made. No ghost receiver swallows a message, no ghost sender's message turns up.
 */
#include "scene_block.h"
#include <setjmp.h>

enum { HANDLED, JUMPED, GO, DONE };

static sigjmp_buf back;

static void jump(int number)
{
    (void)number;
    bump(HANDLED);
    siglongjmp(back, 1);
}

static void install(void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    need(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
}

/* Jumps out of the call `times` times, then stays as it is until told to go. */
struct part {
    struct place place;
    int times;
    int flags;
    int again; /* makes the call once more at the end, and is served */
};

static void jumper(void *argument)
{
    struct part *part = argument;
    volatile int jumps = 0;

    install(jump, part->flags);
    if (sigsetjmp(back, 1) != 0)
        jumps++;
    if (jumps < part->times) {
        arrive();
        block_in(&part->place);
        say("the call came back");
    }
    say("jumped %d times", jumps);
    bump(JUMPED);
    await(GO, 1);
    if (part->again) {
        arrive();
        block_in(&part->place);
    }
    leavings(&part->place);
}

static struct actor *jump_out(struct part *part)
{
    struct actor *actor = spawn("jumper", jumper, part);

    for (int i = 0; i < part->times; i++) {
        wait_blocked(actor);
        kill(actor->pid, SIGUSR1);
        await(HANDLED, i + 1);
    }
    await(JUMPED, 1);
    return actor;
}

/* What is done to the queue after the jump is done by the stage, a stranger to the jumper's process. */
static void used_by_others(int call)
{
    struct part part = {place_new(call), 3, SA_RESTART, 0};
    struct actor *actor = jump_out(&part);

    leavings(&part.place);
    for (int i = 0; i < 3; i++) {
        if (call_is_mq(call)) {
            mq_snd(part.place.mqd, "after", 3);
            mq_state(part.place.mqd);
            mq_rcv(part.place.mqd);
        } else {
            snd(part.place.q, 5, "aftr", IPC_NOWAIT);
            q_state(part.place.q);
            rcv(part.place.q, 0, IPC_NOWAIT);
        }
    }
    bump(GO);
    finish(actor);
    leavings(&part.place);
}

/* After the jump the jumper makes the same call again and is served as if nothing had been. */
static void used_again(int call)
{
    struct part part = {place_new(call), 2, 0, 1};
    struct actor *actor = jump_out(&part);

    bump(GO);
    wait_blocked(actor);
    release(&part.place);
    finish(actor);
    leavings(&part.place);
}

/* A waiter behind the one that jumps away is served next. */
static void simple_waiter(void *argument)
{
    arrive();
    block_in(argument);
}

static void next_in_line(int call)
{
    struct part part = {place_new(call), 1, 0, 0};
    struct actor *jumps = spawn("jumper", jumper, &part), *waits;

    wait_blocked(jumps);
    waits = spawn("next", simple_waiter, &part.place);
    wait_blocked(waits);
    kill(jumps->pid, SIGUSR1);
    await(JUMPED, 1);
    release(&part.place);
    finish(waits);
    bump(GO);
    finish(jumps);
    leavings(&part.place);
}

/* The jump goes to a handler's own level: a nested blocked call is left, the outer one goes on. */
static struct place *nested_place;

static void outer_handler(int number)
{
    (void)number;
    if (sigsetjmp(back, 1) == 0) {
        bump(HANDLED);
        arrive();
        block_in(nested_place);
        say("the inner call came back");
    } else {
        say("jumped out of the inner call");
    }
    bump(JUMPED);
}

static void nested_waiter(void *argument)
{
    struct sigaction outer = {.sa_handler = outer_handler, .sa_flags = SA_RESTART};

    nested_place = argument;
    install(jump, 0);
    need(sigaction(SIGUSR2, &outer, NULL) == 0, "sigaction");
    arrive();
    block_in(argument);
    bump(DONE);
}

static void nested(int call)
{
    struct place place = place_new(call);
    struct actor *actor = spawn("waiter", nested_waiter, &place);

    wait_blocked(actor);
    kill(actor->pid, SIGUSR2);
    await(HANDLED, 1);
    wait_blocked(actor);
    kill(actor->pid, SIGUSR1);
    await(JUMPED, 1);
    while (count(DONE) == 0 && !looks_asleep(actor->pid, actor->tid))
        usleep(500);
    if (count(DONE) == 0)
        release(&place);
    finish(actor);
    leavings(&place);
}

SCENES(FOR_CALLS(used_by_others), FOR_CALLS(used_again), FOR_CALLS(next_in_line), FOR_CALLS(nested))
