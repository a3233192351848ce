/* Selecting messages by type on prepared queues: MSG_COPY, MSG_EXCEPT, negative and huge types, many messages. */
#include "scene_msg.h"

static int prepared(void)
{
    static const long types[] = {5, 2, 9, 2, 7, LONG_MAX, 1, LONG_MAX - 1, 5};
    int q = q_new();
    char text[8];

    for (size_t i = 0; i < LENGTH(types); i++) {
        snprintf(text, sizeof text, "m%zu", i);
        snd(q, types[i], text, 0);
    }
    return q;
}

static void any(void)
{
    int q = prepared();

    drain(q);
    q_remove(q);
}

static void exact(void)
{
    int q = prepared();

    rcv(q, 2, IPC_NOWAIT);
    rcv(q, 5, IPC_NOWAIT);
    rcv(q, LONG_MAX, IPC_NOWAIT);
    rcv(q, LONG_MAX, IPC_NOWAIT);
    rcv(q, 2, IPC_NOWAIT);
    rcv(q, 2, IPC_NOWAIT);
    rcv(q, 3, IPC_NOWAIT);
    drain(q);
    q_remove(q);
}

static void negative(void)
{
    static const long types[] = {-1, -1, -2, -4, -6, -6, LONG_MIN + 2, LONG_MIN + 2, LONG_MIN + 1, LONG_MIN, -1};
    int q = prepared();

    for (size_t i = 0; i < LENGTH(types); i++)
        rcv(q, types[i], IPC_NOWAIT);
    drain(q);
    q_remove(q);
}

/* The lowest type up to the limit comes first; among equals the oldest. */
static void negative_takes_the_lowest(void)
{
    static const long types[] = {9, 8, 7, 9, 8, 7};
    int q = q_new();
    char text[8];

    for (size_t i = 0; i < LENGTH(types); i++) {
        snprintf(text, sizeof text, "m%zu", i);
        put(q, types[i], text, 0);
    }
    for (size_t i = 0; i < LENGTH(types) + 1; i++)
        rcv(q, -100, IPC_NOWAIT);
    q_remove(q);
}

static void except(void)
{
    int q = prepared();

    rcv(q, 5, IPC_NOWAIT | MSG_EXCEPT);
    rcv(q, 5, IPC_NOWAIT | MSG_EXCEPT);
    rcv(q, LONG_MAX, IPC_NOWAIT | MSG_EXCEPT);
    rcv(q, 0, IPC_NOWAIT | MSG_EXCEPT);
    rcv(q, -2, IPC_NOWAIT | MSG_EXCEPT);
    rcv(q, LONG_MIN, IPC_NOWAIT | MSG_EXCEPT);
    for (int i = 0; i < 4; i++)
        rcv(q, 5, IPC_NOWAIT | MSG_EXCEPT);
    drain(q);
    q_remove(q);
}

static void copies(void)
{
    int q = prepared();

    q_state(q);
    for (long i = 0; i < 11; i++)
        rcv(q, i, IPC_NOWAIT | MSG_COPY);
    rcv(q, -1, IPC_NOWAIT | MSG_COPY);
    rcv(q, LONG_MAX, IPC_NOWAIT | MSG_COPY);
    rcv(q, LONG_MIN, IPC_NOWAIT | MSG_COPY);
    q_state(q);
    rcv(q, 2, IPC_NOWAIT);
    rcv(q, 1, IPC_NOWAIT | MSG_COPY);
    rcv_size(q, 1, 0, IPC_NOWAIT | MSG_COPY);
    rcv_size(q, 1, 0, IPC_NOWAIT | MSG_COPY | MSG_NOERROR);
    rcv_size(q, 0, 0, IPC_NOWAIT | MSG_COPY | MSG_NOERROR);
    rcv(q, 0, MSG_COPY);
    rcv(q, 0, MSG_COPY | MSG_EXCEPT);
    rcv(q, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT);
    drain(q);
    rcv(q, 0, IPC_NOWAIT | MSG_COPY);
    q_remove(q);
}

static void copy_keeps_the_record(void)
{
    int q = q_new();

    snd(q, 3, "watched", 0);
    for (int i = 0; i < 5; i++)
        rcv(q, 0, IPC_NOWAIT | MSG_COPY);
    q_state(q);
    drain(q);
    q_remove(q);
}

static void truncation(void)
{
    int q = q_new();

    snd(q, 3, "0123456789", 0);
    rcv_size(q, 9, 0, IPC_NOWAIT);
    rcv_size(q, 0, 3, IPC_NOWAIT);
    q_state(q);
    rcv_size(q, 4, 0, IPC_NOWAIT | MSG_NOERROR);
    q_state(q);
    snd(q, 3, "0123456789", 0);
    rcv_size(q, 0, 0, IPC_NOWAIT | MSG_NOERROR);
    snd(q, 3, "", 0);
    rcv_size(q, 0, 0, IPC_NOWAIT);
    snd(q, 3, "long", 0);
    snd(q, 4, "ok", 0);
    rcv_size(q, 2, 0, IPC_NOWAIT);
    rcv_size(q, 2, 4, IPC_NOWAIT);
    rcv_size(q, 2, -9, IPC_NOWAIT);
    q_remove(q);
}

static void bad_arguments(void)
{
    struct message message = {.type = 1, .text = "x"};
    int q = q_new();

    say("size -1 %s", result(msgrcv(q, &message, (size_t)-1, 0, IPC_NOWAIT)));
    say("size LONG_MAX %s", result(msgrcv(q, &message, LONG_MAX, 0, IPC_NOWAIT)));
    say("send size -1 %s", result(msgsnd(q, &message, (size_t)-1, IPC_NOWAIT)));
    say("send size 8193 %s", result(msgsnd(q, &message, 8193, IPC_NOWAIT)));
    say("send size 8192 %s", result(msgsnd(q, &message, 8192, IPC_NOWAIT)));
    message.type = 0;
    say("type 0 %s", result(msgsnd(q, &message, 1, IPC_NOWAIT)));
    message.type = -1;
    say("type -1 %s", result(msgsnd(q, &message, 1, IPC_NOWAIT)));
    message.type = LONG_MIN;
    say("type LONG_MIN %s", result(msgsnd(q, &message, 1, IPC_NOWAIT)));
    say("type and size %s", result(msgsnd(q, &message, 9000, IPC_NOWAIT)));
    say("id -1 %s", result(msgsnd(-1, &message, 9000, IPC_NOWAIT)));
    message.type = 1;
    say("id -1 %s", result(msgsnd(-1, &message, 1, IPC_NOWAIT)));
    say("id INT_MAX %s", result(msgsnd(INT_MAX, &message, 1, IPC_NOWAIT)));
    say("receive id -1 %s", result(msgrcv(-1, &message, 1, 0, IPC_NOWAIT)));
    say("receive NULL %s", result(msgrcv(q, NULL, 8192, 0, IPC_NOWAIT)));
    q_state(q);
    q_remove(q);
}

/* ---- many messages ---- */

enum { MANY = 10000 };

static int many(void)
{
    int q = q_new();
    struct message message;

    for (long i = 0; i < MANY; i++) {
        message.type = i * 7919 % 10007 + 1;
        need(msgsnd(q, &message, 0, IPC_NOWAIT) == 0, "msgsnd");
    }
    return q;
}

static void many_by_type(void)
{
    int q = many(), wrong = 0;
    struct message message;

    q_state(q);
    for (long i = MANY - 1; i >= 0; i--) {
        long type = i * 7919 % 10007 + 1;
        if (msgrcv(q, &message, 0, type, IPC_NOWAIT) != 0 || message.type != type)
            wrong++;
    }
    say("%d wrong", wrong);
    q_state(q);
    q_remove(q);
}

static void many_by_negative_type(void)
{
    int q = many(), wrong = 0, received = 0;
    struct message message;
    long last = 0;

    while (msgrcv(q, &message, 0, -20000, IPC_NOWAIT) == 0) {
        wrong += message.type <= last;
        last = message.type;
        received++;
    }
    say("%d received, %d wrong, last type %ld, then %s", received, wrong, last, result(-1));
    q_state(q);
    q_remove(q);
}

static void many_in_order(void)
{
    int q = many(), wrong = 0;
    struct message message;

    for (long i = 0; i < MANY; i++)
        wrong += msgrcv(q, &message, 0, 0, IPC_NOWAIT) != 0 || message.type != i * 7919 % 10007 + 1;
    say("%d wrong", wrong);
    q_remove(q);
}

static void many_except(void)
{
    int q = many(), wrong = 0;
    struct message message;

    for (long i = 0; i < MANY - 1; i++)
        wrong += msgrcv(q, &message, 0, 4 * 7919 % 10007 + 1, IPC_NOWAIT | MSG_EXCEPT) != 0;
    say("%d wrong", wrong);
    rcv_size(q, 0, 4 * 7919 % 10007 + 1, IPC_NOWAIT | MSG_EXCEPT);
    q_state(q);
    drain(q);
    q_remove(q);
}

static void many_copied(void)
{
    int q = many(), wrong = 0;
    struct message message;

    for (long i = 0; i < MANY; i += 101)
        wrong += msgrcv(q, &message, 0, i, IPC_NOWAIT | MSG_COPY) != 0 || message.type != i * 7919 % 10007 + 1;
    say("%d wrong", wrong);
    q_state(q);
    q_remove(q);
}

/* One type, then holes in the middle, then all the rest. */
static void many_mixed(void)
{
    int q = q_new(), received = 0;
    struct message message;
    long sum = 0;

    for (long i = 0; i < MANY; i++) {
        message.type = i % 3 == 0 ? LONG_MAX - i % 5 : i % 11 + 1;
        need(msgsnd(q, &message, 0, IPC_NOWAIT) == 0, "msgsnd");
    }
    while (msgrcv(q, &message, 0, 5, IPC_NOWAIT) == 0)
        received++;
    say("type 5: %d", received);
    while (msgrcv(q, &message, 0, LONG_MAX - 3, IPC_NOWAIT) == 0)
        received++;
    say("and a large one: %d", received);
    for (int i = 0; i < 3000; i++) {
        if (msgrcv(q, &message, 0, -7, IPC_NOWAIT) == 0)
            sum = sum * 31 % 1000003 + message.type;
    }
    say("negative: %ld", sum);
    while (msgrcv(q, &message, 0, 0, IPC_NOWAIT) == 0)
        sum = sum * 31 % 1000003 + message.type % 1000;
    say("rest: %ld", sum);
    q_remove(q);
}

SCENES(SCENE(any), SCENE(exact), SCENE(negative), SCENE(negative_takes_the_lowest), SCENE(except), SCENE(copies),
       SCENE(copy_keeps_the_record), SCENE(truncation), SCENE(bad_arguments), SCENE(many_by_type),
       SCENE(many_by_negative_type), SCENE(many_in_order), SCENE(many_except), SCENE(many_copied),
       SCENE(many_mixed))
