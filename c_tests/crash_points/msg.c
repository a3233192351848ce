/* System V message queues: sending and receiving. */
#include "msg.h"

static struct message got; /* by the call */

/* msgsnd of type 4, perhaps while a rival sends type 9. */
static void call_send(void) { send_type(queue, 4, 0); }
static void rival_send(void) { send_type(queue, 9, 0); }

static int check_send(int ended)
{
    static const long wanted[] = {1, 2, 3, 4};
    int outcome = qnum(NULL) - expected - rivalled;

    expect(!ended || outcome == 1, "the call has returned, and the message is not there");
    if (rivalled) {
        long types[8] = {0};
        int i, at = 0, nines = 0, n = drain(types, 8);

        for (i = 0; i < n; i++)
            if (types[i] == 9)
                nines++;
            else
                expect(types[i] == wanted[at], "message %d is of type %ld", i, types[i]), at++;
        expect(nines == 1 && at == expected + outcome, "%d of the rival's, %d others", nines, at);
    } else {
        expect_types(wanted, expected + outcome);
    }
    expect_room(ROOM);
    return outcome;
}

/* A message of another size: more pages, other bins. */
static void call_send_large(void) { send_type(queue, 13, 0); }

static int check_send_large(int ended)
{
    static const long wanted[] = {13};
    int outcome = qnum(NULL);

    expect(!ended || outcome == 1, "the call has returned, and the message is not there");
    expect_types(wanted, outcome);
    expect_room(ROOM);
    return outcome;
}

/* msgsnd that a sleeping receiver waits for. */
static void receive_four(struct note *note)
{
    struct message message = {0};

    note->result = msgrcv(queue, &message, sizeof message.text, -4, 0);
    note->error = errno;
    note->type = message.type;
    memcpy(note->text, message.text, sizeof note->text);
}

static void prepare_receiver(void)
{
    prepare(0);
    send_type(queue, 5, 0);
    expected = 1;
    start_sleeper(0, receive_seven);
    start_sleeper(1, receive_four);
}

static int check_serves(int ended)
{
    static const long wanted[] = {5, 3};
    const struct note *note;
    int outcome = 0, quick;

    let_be(1);
    quick = is_done(1);
    send_type(queue, 3, 0);
    note = await_sleeper(1);
    if (note) {
        expect(note->result == (long)length_of(note->type) && is_text(note->text, (size_t)note->result, (unsigned)note->type),
               "the receiver got %ld: %s", note->result, strerror(note->error));
        outcome = note->type == 4;
        expect(!scenario->quiet || outcome == quick, "its message was there, and it was not told");
        expect_types(wanted, outcome ? 2 : 1);
    }
    expect(!ended || outcome, "the call has returned, and the message was not received");
    send_type(queue, 7, 0);
    note = await_sleeper(0);
    expect(note && note->type == 7, "the other receiver got a wrong message");
    expect_room(ROOM);
    return outcome;
}

/* msgrcv of the first, of one by its type, of the last; `taken` is its type. */
static void call_receive_first(void) { msgrcv(queue, &got, sizeof got.text, 0, 0); }
static void call_receive_two(void) { msgrcv(queue, &got, sizeof got.text, 2, 0); }
static void call_receive_least(void) { msgrcv(queue, &got, sizeof got.text, -3, 0); }
static void call_receive_except(void) { msgrcv(queue, &got, sizeof got.text, 1, MSG_EXCEPT); }
static void rival_receive(void)
{
    struct message m;

    if (msgrcv(queue, &m, sizeof m.text, 3, 0) == -1)
        _exit(1);
}

static int check_received(int ended, long taken)
{
    long wanted[4], type;
    int n = 0, outcome = expected - rivalled - qnum(NULL);

    expect(!ended || outcome == 1, "the call has returned, and the message is still there");
    for (type = 1; type <= expected; type++)
        if (!(outcome && type == taken) && !(rivalled && type == 3))
            wanted[n++] = type;
    expect_types(wanted, n);
    expect_room(ROOM);
    return outcome;
}

/* Before the first of three another has been received: what comes free lies behind free memory. */
static void prepare_behind(void)
{
    prepare(0);
    expected = 3;
    need(send_type(queue, 8, 0) == 0, "msgsnd");
    for (int type = 1; type <= expected; type++)
        need(send_type(queue, type, 0) == 0, "msgsnd");
    need(msgrcv(queue, &got, sizeof got.text, 8, 0) != -1, "msgrcv");
}

/* The last of the three: what comes free lies before the memory that messages are cut from. */
static void call_receive_three(void) { msgrcv(queue, &got, sizeof got.text, 3, 0); }
static int check_received_three(int ended) { return check_received(ended, 3); }

static int check_received_first(int ended) { return check_received(ended, 1); }
static int check_received_two(int ended) { return check_received(ended, 2); }

/* msgrcv from a full queue, for which a sender waits. */
static int check_admits(int ended)
{
    struct message message;
    const struct note *note;
    static const long wanted[] = {2, 6};
    int outcome;

    let_be(0);
    outcome = msgrcv(queue, &message, sizeof message.text, 1, IPC_NOWAIT) == -1;
    expect(!ended || outcome, "the call has returned, and the message is still there");
    note = await_sleeper(0);
    expect(note && note->result == 0, "the sender got an error");
    expect_types(wanted, 2);
    expect_room(ROOM);
    return outcome;
}

/* The victim itself sleeps in its call, and is fed. */
static void feed_message(void) { send_type(queue, 4, 0); }

static int check_receiver_slept(int ended)
{
    static const long wanted[] = {4};
    int outcome;

    let_be(0);
    outcome = fed - qnum(NULL);
    expect(!ended || (fed && outcome == 1), "the call has returned, and the message is still there");
    expect_types(wanted, fed - outcome);
    expect_room(ROOM);
    return outcome;
}

/* As before, with another receiver in line behind the victim: what the victim does not take is its. */
static void prepare_nothing(void) { prepare(0); }

static void feed_two(void)
{
    start_sleeper(0, receive_four);
    send_type(queue, 4, 0);
}

static int check_in_line(int ended)
{
    static const long wanted[] = {3}, ready_types[] = {4};
    const struct note *note;
    int outcome = 0, quick;

    if (!fed) {
        expect_room(ROOM);
        return 0;
    }
    let_be(0);
    quick = is_done(0);
    send_type(queue, 3, 0);
    note = await_sleeper(0);
    if (note) {
        /* Given to the victim, and not taken: it is back in the queue. */
        int back = note->type == 3 && qnum(NULL) == 1;

        outcome = note->type == 3 && !back;
        expect(!scenario->quiet || (outcome == !quick && !back), "its message was there, and it was not told");
        expect_types(back ? ready_types : wanted, !outcome);
    }
    expect(!ended || outcome, "the call has returned, and another received its message");
    expect_room(ROOM);
    return outcome;
}

static void call_send_six(void) { send_type(queue, 6, 0); }
static void feed_room(void) { msgrcv(queue, &got, sizeof got.text, 1, 0); }

static int check_sender_slept(int ended)
{
    struct message message;
    static const long wanted[] = {2, 6};
    int outcome = qnum(NULL) - (fed ? 1 : 2);

    expect(!ended || (fed && outcome == 1), "the call has returned, and the message is not there");
    if (!fed)
        expect(msgrcv(queue, &message, sizeof message.text, 1, IPC_NOWAIT) > 0, "the first message is gone");
    expect_types(wanted, 1 + outcome);
    expect_room(ROOM);
    return outcome;
}

const struct scenario msg_scenarios[] = {
    {.name = "msgsnd", .prepare = prepare_three, .call = call_send, .second = look, .check = check_send, .clear = clear},
    {.name = "msgsnd-cold", .prepare = prepare_three, .call = call_send, .check = check_send, .clear = clear},
    {.name = "msgsnd-empty", .prepare = prepare_none, .call = call_send_large, .check = check_send_large, .clear = clear},
    {.name = "msgsnd-rival", .prepare = prepare_three, .call = call_send, .rival = rival_send, .check = check_send, .clear = clear},
    {.name = "msgsnd-serves", .prepare = prepare_receiver, .call = call_send, .second = look, .check = check_serves, .clear = clear},
    {.name = "msgsnd-serves-quiet", .prepare = prepare_receiver, .call = call_send, .check = check_serves, .clear = clear, .quiet = 1},
    {.name = "msgsnd-sleeps", .prepare = prepare_full, .call = call_send_six, .feed = feed_room, .second = look, .check = check_sender_slept, .clear = clear},
    {.name = "msgrcv", .prepare = prepare_three, .call = call_receive_first, .second = look, .check = check_received_first, .clear = clear},
    {.name = "msgrcv-last", .prepare = prepare_one, .call = call_receive_first, .second = look, .check = check_received_first, .clear = clear},
    {.name = "msgrcv-behind", .prepare = prepare_behind, .call = call_receive_first, .check = check_received_first, .clear = clear},
    {.name = "msgrcv-before", .prepare = prepare_behind, .call = call_receive_three, .check = check_received_three, .clear = clear},
    {.name = "msgrcv-type", .prepare = prepare_three, .call = call_receive_two, .check = check_received_two, .clear = clear},
    {.name = "msgrcv-least", .prepare = prepare_three, .call = call_receive_least, .check = check_received_first, .clear = clear},
    {.name = "msgrcv-except", .prepare = prepare_three, .call = call_receive_except, .check = check_received_two, .clear = clear},
    {.name = "msgrcv-rival", .prepare = prepare_three, .call = call_receive_two, .rival = rival_receive, .check = check_received_two, .clear = clear},
    {.name = "msgrcv-admits", .prepare = prepare_sender, .call = call_receive_first, .second = look, .check = check_admits, .clear = clear},
    {.name = "msgrcv-admits-quiet", .prepare = prepare_sender, .call = call_receive_first, .check = check_admits, .clear = clear, .quiet = 1},
    {.name = "msgrcv-sleeps", .prepare = prepare_nothing, .call = call_receive_first, .feed = feed_message, .second = look, .check = check_receiver_slept, .clear = clear},
    {.name = "msgrcv-in-line", .prepare = prepare_nothing, .call = call_receive_first, .feed = feed_two, .second = look, .check = check_in_line, .clear = clear},
    {.name = "msgrcv-in-line-quiet", .prepare = prepare_nothing, .call = call_receive_first, .feed = feed_two, .check = check_in_line, .clear = clear, .quiet = 1},
    {0},
};
