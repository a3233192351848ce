/*
 * Storms: a handler that jumps out (siglongjmp) strikes at any moment of a call, blocked or not, and
 * every message still turns up exactly once.
 */
#include "scene_block.h"
#include <setjmp.h>

enum { HANDLED, JUMPED, GO, DONE };

static sigjmp_buf back;

enum { STORM_MESSAGES = 3000 };

static void rude_jump(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

static void install(int flags)
{
    struct sigaction action = {.sa_handler = rude_jump, .sa_flags = flags};

    need(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
}

static void rain(void *argument)
{
    pid_t target = *(pid_t *)argument;

    while (count(DONE) == 0) {
        kill(target, SIGUSR1);
        usleep(97);
    }
}

static void let_signals_in(int in)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(in ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

static struct place storm_place(int call)
{
    struct place place = {call, -1, (mqd_t)-1};

    if (call_is_mq(call))
        place.mqd = mq_new(4);
    else
        place.q = q_new();
    return place;
}

static int send_number(const struct place *place, int number)
{
    struct timespec far = in_ms(3600 * 1000L);
    char text[16];

    snprintf(text, sizeof text, "%d", number);
    switch (place->call) {
    case MQ_SEND: return mq_put(place->mqd, text, 1);
    case MQ_TIMEDSEND: return mq_timedsend(place->mqd, text, strlen(text), 1, &far);
    default: return put(place->q, 1, text, 0);
    }
}

static int receive_number(const struct place *place, char *text)
{
    static struct message message;
    struct timespec far = in_ms(3600 * 1000L);
    ssize_t received;

    switch (place->call) {
    case MQ_RECEIVE: return mq_receive(place->mqd, text, MQ_TEXT_MAX, NULL) != -1;
    case MQ_TIMEDRECEIVE: return mq_timedreceive(place->mqd, text, MQ_TEXT_MAX, NULL, &far) != -1;
    default: received = msgrcv(place->q, &message, TEXT_MAX, 0, 0);
    }
    if (received != -1)
        memcpy(text, message.text, received);
    return received != -1;
}

static void storm_sender(void *argument)
{
    const struct place *place = argument;
    struct place sender = *place;

    sender.call = call_is_mq(place->call) ? MQ_SEND : MSGSND;
    for (int i = 1; i <= STORM_MESSAGES; i++) {
        need(send_number(&sender, i) == 0, "send");
        if (i % 8 == 0)
            usleep(100);
    }
}

/*
 * A receiver jumps out of the call again and again while messages arrive. A message that had been taken
 * when the jump came is in the buffer, so each number must turn up once, in the buffer if not in the
 * result; signals are let in around the call only.
 */
static void storm_receiver(void *argument)
{
    static char text[sizeof(struct message)];
    static int seen[STORM_MESSAGES + 1];
    const struct place *place = argument;
    char *number_at = call_is_mq(place->call) ? text : ((struct message *)text)->text;
    struct timespec far = in_ms(3600 * 1000L);
    volatile int total = 0;
    int missing = 0, twice = 0;

    install(0);
    let_signals_in(0);
    bump(GO);
    sigsetjmp(back, 1);
    while (total < STORM_MESSAGES) {
        int number = atoi(number_at);
        if (number > 0 && number <= STORM_MESSAGES) {
            seen[number]++;
            total++;
        }
        memset(number_at, 0, 16);
        if (total == STORM_MESSAGES)
            break;
        let_signals_in(1);
        if (place->call == MSGRCV)
            msgrcv(place->q, text, TEXT_MAX, 0, 0);
        else if (place->call == MQ_RECEIVE)
            mq_receive(place->mqd, text, MQ_TEXT_MAX, NULL);
        else
            mq_timedreceive(place->mqd, text, MQ_TEXT_MAX, NULL, &far);
        let_signals_in(0);
    }
    for (int i = 1; i <= STORM_MESSAGES; i++) {
        missing += seen[i] == 0;
        twice += seen[i] > 1;
    }
    say("%d messages, %d missing, %d twice", total, missing, twice);
    bump(DONE);
}

static void storm_receiving(int call)
{
    struct place place = storm_place(call);
    struct actor *receiver = spawn("receiver", storm_receiver, &place), *sender, *rainer;

    await(GO, 1);
    rainer = spawn("rain", rain, &receiver->pid);
    sender = spawn("sender", storm_sender, &place);
    finish(receiver);
    finish(sender);
    finish(rainer);
    leavings(&place);
}

/*
 * A sender jumps out of the call. What was jumped out of may have been sent or not, but not twice; what
 * returned 0 was sent.
 */
static int *storm_returned;

static void storm_jumping_sender(void *argument)
{
    volatile int number = 0;

    install(0);
    let_signals_in(0);
    bump(GO);
    sigsetjmp(back, 1);
    while (number < STORM_MESSAGES) {
        int sent, mine = ++number;
        let_signals_in(1);
        sent = send_number(argument, mine);
        if (sent == 0)
            storm_returned[mine] = 1;
        let_signals_in(0);
    }
    bump(DONE);
    signal(SIGUSR1, SIG_IGN);
    let_signals_in(1);
    need(send_number(argument, STORM_MESSAGES + 1) == 0, "send the end");
}

static void storm_sending(int call)
{
    static int seen[STORM_MESSAGES + 2];
    struct place place = storm_place(call), mine = place;
    struct actor *sender, *rainer;
    int missing = 0, twice = 0, disorder = 0, last = 0;

    storm_returned = mmap(NULL, sizeof seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    need(storm_returned != MAP_FAILED, "mmap");
    sender = spawn("sender", storm_jumping_sender, &place);
    await(GO, 1);
    rainer = spawn("rain", rain, &sender->pid);
    mine.call = call_is_mq(call) ? MQ_RECEIVE : MSGRCV;
    for (;;) {
        char text[MQ_TEXT_MAX] = "";
        int number;
        need(receive_number(&mine, text), "receive");
        number = atoi(text);
        need(number > 0 && number <= STORM_MESSAGES + 1, "a number");
        seen[number]++;
        disorder += number < last;
        last = number;
        if (number == STORM_MESSAGES + 1)
            break;
    }
    finish(sender);
    finish(rainer);
    for (int i = 1; i <= STORM_MESSAGES; i++) {
        missing += storm_returned[i] && seen[i] == 0;
        twice += seen[i] > 1;
    }
    say("%d missing, %d twice, %d out of order", missing, twice, disorder);
    leavings(&place);
}

/* Both together: the message comes while a handler that jumps is due, one of each at a time. */
static void one_at_a_time_receiver(void *argument)
{
    const struct place *place = argument;
    static char text[sizeof(struct message)];
    char *number_at = call_is_mq(place->call) ? text : ((struct message *)text)->text;
    volatile int missing = 0;

    install(SA_RESTART);
    let_signals_in(0);
    for (volatile int round = 1; round <= 500; round++) {
        struct timespec far = in_ms(3600 * 1000L);
        memset(number_at, 0, 16);
        if (sigsetjmp(back, 1) == 0) {
            let_signals_in(1);
            bump(GO);
            if (place->call == MSGRCV)
                msgrcv(place->q, text, TEXT_MAX, 0, 0);
            else
                mq_timedreceive(place->mqd, text, MQ_TEXT_MAX, NULL, &far);
            while (count(HANDLED) < round)
                usleep(20);
            let_signals_in(0);
        }
        if (number_at[0] == 0) { /* not taken: it must be in the queue, now or soon */
            if (place->call == MSGRCV)
                missing += msgrcv(place->q, text, TEXT_MAX, 0, 0) == -1;
            else
                missing += mq_receive(place->mqd, text, MQ_TEXT_MAX, NULL) == -1;
        }
        missing += atoi(number_at) != round;
        bump(JUMPED);
    }
    say("%d missing", missing);
}

static void message_with_signal(int call)
{
    struct place place = storm_place(call), mine = place;
    struct actor *actor = spawn("receiver", one_at_a_time_receiver, &place);

    mine.call = call_is_mq(call) ? MQ_SEND : MSGSND;
    for (int round = 1; round <= 500; round++) {
        await(GO, round);
        if (round % 3 != 0)
            usleep(round % 7 * 40);
        if (round % 2 == 0)
            kill(actor->pid, SIGUSR1);
        need(send_number(&mine, round) == 0, "send");
        bump(HANDLED);
        await(JUMPED, round);
    }
    finish(actor);
    leavings(&place);
}

SCENES(SCENE_WITH(storm_receiving, MSGRCV), SCENE_WITH(storm_receiving, MQ_RECEIVE),
       SCENE_WITH(storm_receiving, MQ_TIMEDRECEIVE), SCENE_WITH(storm_sending, MSGSND),
       SCENE_WITH(storm_sending, MQ_SEND), SCENE_WITH(storm_sending, MQ_TIMEDSEND),
       SCENE_WITH(message_with_signal, MSGRCV), SCENE_WITH(message_with_signal, MQ_TIMEDRECEIVE))
