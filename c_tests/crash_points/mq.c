/* POSIX message queues. */
#include "points.h"
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <time.h>

#define NAME "/crash-points"
enum { MESSAGES = 4, BYTES = 64, URGENT = 31 };

static mqd_t queue = -1;
static int names;
static char ready[URGENT + 2][BYTES], got[BYTES];
static unsigned got_priority;

static size_t length_of(unsigned priority) { return (size_t)(5 + 11 * priority) % (BYTES + 1); }

static int send_priority(unsigned priority) { return mq_send(queue, ready[priority], length_of(priority), priority); }

static mqd_t make(int flags)
{
    struct mq_attr attr = {.mq_maxmsg = MESSAGES, .mq_msgsize = BYTES};

    return mq_open(NAME, O_CREAT | O_RDWR | flags, 0600, &attr);
}

static void note_names(void)
{
    unsigned i;

    for (i = 0; i < LENGTH(ready); i++)
        fill_text(ready[i], length_of(i), i);
    names = count_in("mq");
    queue = -1;
}

static void prepare(unsigned messages)
{
    unsigned i;

    note_names();
    queue = make(O_EXCL);
    need(queue != -1, "mq_open");
    for (i = 1; i <= messages; i++)
        need(send_priority(i) == 0, "mq_send");
}

static void prepare_none(void) { prepare(0); }
static void prepare_one(void) { prepare(1); }
static void prepare_three(void) { prepare(3); }
static void prepare_full(void) { prepare(MESSAGES); }

static long in_queue(void)
{
    struct mq_attr attr = {0};

    expect(mq_getattr(queue, &attr) == 0, "mq_getattr: %s", strerror(errno));
    return attr.mq_curmsgs;
}

/* The next message's priority, or -1; it must be whole. */
static long receive(char *buffer)
{
    static const struct timespec past;
    unsigned priority;
    ssize_t length = mq_timedreceive(queue, buffer, BYTES, &priority, &past);

    if (length == -1) {
        expect(errno == ETIMEDOUT, "mq_timedreceive: %s", strerror(errno));
        return -1;
    }
    expect(priority < LENGTH(ready) && (size_t)length == length_of(priority) && is_text(buffer, (size_t)length, priority),
           "the message of priority %u is not as it was sent", priority);
    return priority;
}

/* That exactly these are in the queue, in this order. */
static void expect_priorities(const long *wanted, int count)
{
    char buffer[BYTES];
    long there_are = in_queue(), priority;
    int i = 0;

    expect(there_are == count, "mq_curmsgs is %ld, not %d", there_are, count);
    while ((priority = receive(buffer)) != -1 && i < 20) {
        expect(i < count && priority == wanted[i], "message %d has priority %ld", i, priority);
        i++;
    }
    expect(i == count, "%d messages, not %d", i, count);
}

static void expect_room(void)
{
    static const struct timespec past;
    int n = 0, i;

    if (scenario->feed && mq_timedsend(queue, ready[0], length_of(0), 0, &past) == 0)
        expect(receive(got) == 0, "what was sent to the dead");
    while (n < 20 && mq_timedsend(queue, ready[n], length_of((unsigned)n), (unsigned)n, &past) == 0)
        n++;
    expect(n == MESSAGES && errno == ETIMEDOUT, "%d messages fill it: %s", n, strerror(errno));
    for (i = n - 1; i >= 0; i--)
        expect(receive(got) == i, "message %d of those that filled it", i);
    expect(in_queue() == 0, "an emptied queue has %ld messages", in_queue());
}

static void clear(void)
{
    mqd_t again = mq_open(NAME, O_RDWR);

    expect(again != -1, "mq_open: %s", strerror(errno));
    mq_close(again);
    expect(mq_unlink(NAME) == 0, "mq_unlink: %s", strerror(errno));
    mq_close(queue);
    expect(mq_open(NAME, O_RDWR) == -1 && errno == ENOENT, "the name leads somewhere after mq_unlink");
    expect(count_in("mq") == names, "%d queues are left", count_in("mq") - names);
}

static void look(void)
{
    struct mq_attr attr;

    mq_getattr(queue, &attr);
}

static void call_send(void) { send_priority(2); }
static void rival_send(void) { send_priority(0); }

static int check_send(int ended)
{
    long wanted[5];
    int n = 0, made = scenario->rival ? 1 : 3, outcome = (int)in_queue() - made - rivalled;

    expect(!ended || outcome == 1, "the call has returned, and the message is not there");
    if (made == 3)
        wanted[n++] = 3, wanted[n++] = 2;
    if (outcome)
        wanted[n++] = 2;
    wanted[n++] = 1;
    if (rivalled)
        wanted[n++] = 0;
    expect_priorities(wanted, n);
    expect_room();
    return outcome;
}

/* A receiver sleeps. */
static void receive_any(struct note *note)
{
    unsigned priority = 0;

    note->result = mq_receive(queue, note->text, sizeof note->text, &priority);
    note->error = errno;
    note->type = (long)priority;
}

static void prepare_receiver(void)
{
    prepare(0);
    start_sleeper(0, receive_any);
}

static int check_serves(int ended)
{
    static const long wanted[] = {1};
    const struct note *note;
    int outcome = 0, quick;

    let_be(0);
    quick = is_done(0);
    send_priority(1);
    note = await_sleeper(0);
    if (note) {
        expect(note->result == (long)length_of((unsigned)note->type) && is_text(note->text, (size_t)note->result, (unsigned)note->type),
               "the receiver got %ld: %s", note->result, strerror(note->error));
        outcome = note->type == 2;
        expect(!scenario->quiet || outcome == quick, "its message was there, and it was not told");
        expect_priorities(wanted, outcome);
    }
    expect(!ended || outcome, "the call has returned, and the message was not received");
    expect_room();
    return outcome;
}

/* A registered process is told once, of a message in an empty queue. */
static void prepare_notified(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    static const struct timespec at_once;
    sigset_t set;

    prepare(0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    while (sigtimedwait(&set, NULL, &at_once) != -1)
        ;
    need(mq_notify(queue, &event) == 0, "mq_notify");
}

static int check_notified(int ended)
{
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    static const long wanted[] = {2};
    static const struct timespec at_once;
    sigset_t set;
    int outcome = (int)in_queue(), told, registered;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    for (told = 0; sigtimedwait(&set, NULL, &at_once) == SIGUSR1; told++)
        ;
    registered = mq_notify(queue, &event) == -1 && errno == EBUSY;
    /* A sender killed between telling and noting that he has told: told again by the next caller. */
    expect(told <= 3 && !!told != registered, "told %d times, and %s registered", told, registered ? "still" : "no more");
    expect(outcome == !!told, "%d messages, told %d times", outcome, told);
    expect(!ended || (outcome && told), "the call has returned, and nobody was told");
    mq_notify(queue, NULL);
    expect_priorities(wanted, outcome);
    expect_room();
    return outcome;
}

static void call_receive(void) { mq_receive(queue, got, sizeof got, &got_priority); }

static int check_received(int ended)
{
    static const long wanted[] = {4, 3, 2, 1};
    int most = scenario->prepare == prepare_one ? 1 : 3, outcome = most - (int)in_queue();

    expect(!ended || outcome == 1, "the call has returned, and the message is still there");
    expect_priorities(wanted + MESSAGES - most + outcome, most - outcome);
    expect_room();
    return outcome;
}

/* The queue is full, and senders wait. */
static void send_zero(struct note *note)
{
    note->result = send_priority(0);
    note->error = errno;
}

static void send_five(struct note *note)
{
    note->result = send_priority(5);
    note->error = errno;
}

static void prepare_senders(void)
{
    prepare(MESSAGES);
    start_sleeper(0, send_zero);
    start_sleeper(1, send_five);
}

/* Who has waited longest is let in first, whatever its message's priority. */
static int check_admits(int ended)
{
    static const long wanted[] = {5, 2, 1, 0};
    const struct note *note;
    char buffer[BYTES];
    int i, outcome;

    let_be(0);
    outcome = receive(buffer) != 4;
    expect(!ended || outcome, "the call has returned, and the message is still there");
    if (!outcome)
        expect(receive(buffer) == 3, "the second message is not the next");
    for (i = 0; i < 2; i++) {
        note = await_sleeper(i);
        expect(note && note->result == 0, "sender %d got an error", i);
    }
    expect_priorities(wanted, 4);
    expect_room();
    return outcome;
}

/* The victim sleeps. */
static void feed_message(void) { send_priority(2); }

static int check_receiver_slept(int ended)
{
    static const long wanted[] = {2};
    int outcome = fed - (int)in_queue();

    expect(!ended || (fed && outcome == 1), "the call has returned, and the message is still there");
    expect_priorities(wanted, fed - outcome);
    expect_room();
    return outcome;
}

static void call_send_urgent(void) { send_priority(5); }

static void feed_room(void)
{
    char buffer[BYTES];

    need(receive(buffer) == 4, "the first message");
}

/* Killed before it slept, it may still have been let in. */
static int check_sender_slept(int ended)
{
    char buffer[BYTES];
    long priority, wanted = fed ? 3 : 4;
    int outcome = 0;

    while ((priority = receive(buffer)) != -1) {
        if (priority == 5)
            outcome++;
        else
            expect(priority == wanted--, "priority %ld, not %ld", priority, wanted + 1);
    }
    expect(wanted == 0 && outcome <= 1, "messages are lost or doubled: %ld, %d", wanted, outcome);
    expect(!ended || (fed && outcome == 1), "the call has returned, and the message is not there");
    expect_room();
    return fed ? outcome : 0;
}

static void call_open(void) { make(O_EXCL); }
static void call_find(void) { mq_open(NAME, O_RDWR); }
static void call_unlink(void) { mq_unlink(NAME); }

static int check_open(int ended)
{
    int outcome;

    queue = mq_open(NAME, O_RDWR);
    outcome = queue != -1;
    expect(outcome || errno == ENOENT, "mq_open: %s", strerror(errno));
    expect(!ended || outcome, "the call has returned, and there is no queue");
    if (!outcome)
        queue = make(O_EXCL);
    expect(queue != -1, "mq_open: %s", strerror(errno));
    expect_room();
    return outcome;
}

static void make_elsewhere(void) { mq_close(make(O_EXCL)); }

static void prepare_elsewhere(void)
{
    note_names();
    in_child(make_elsewhere);
}

static int check_found(int ended)
{
    return check_open(ended), 0;
}

static int check_unlinked(int ended)
{
    static const long wanted[] = {3, 2, 1};
    mqd_t found = mq_open(NAME, O_RDWR);
    int outcome = found == -1;

    expect(!outcome || errno == ENOENT, "mq_open: %s", strerror(errno));
    expect(!ended || outcome, "the call has returned, and the name is there");
    mq_close(found);
    expect_priorities(wanted, 3);
    expect_room();
    if (outcome) {
        mq_close(queue);
        queue = make(O_EXCL);
    }
    return outcome;
}

/* A dead process's registration is void. */
static void call_notify(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};

    mq_notify(queue, &event);
}

static void call_forgo(void) { mq_notify(queue, NULL); }

static int check_notify(int ended)
{
    struct sigevent event = {.sigev_notify = SIGEV_NONE};

    (void)ended;
    expect(mq_notify(queue, &event) == 0, "the dead is still registered: %s", strerror(errno));
    expect(mq_notify(queue, NULL) == 0, "mq_notify: %s", strerror(errno));
    expect_room();
    return 0;
}

const struct scenario mq_scenarios[] = {
    {.name = "mq_send", .prepare = prepare_three, .call = call_send, .second = look, .check = check_send, .clear = clear},
    {.name = "mq_send-cold", .prepare = prepare_three, .call = call_send, .check = check_send, .clear = clear},
    {.name = "mq_send-rival", .prepare = prepare_one, .call = call_send, .rival = rival_send, .check = check_send, .clear = clear},
    {.name = "mq_send-serves", .prepare = prepare_receiver, .call = call_send, .second = look, .check = check_serves, .clear = clear},
    {.name = "mq_send-serves-quiet", .prepare = prepare_receiver, .call = call_send, .check = check_serves, .clear = clear, .quiet = 1},
    {.name = "mq_send-notifies", .prepare = prepare_notified, .call = call_send, .second = look, .check = check_notified, .clear = clear},
    {.name = "mq_send-sleeps", .prepare = prepare_full, .call = call_send_urgent, .feed = feed_room, .second = look, .check = check_sender_slept, .clear = clear},
    {.name = "mq_receive", .prepare = prepare_three, .call = call_receive, .second = look, .check = check_received, .clear = clear},
    {.name = "mq_receive-last", .prepare = prepare_one, .call = call_receive, .check = check_received, .clear = clear},
    {.name = "mq_receive-admits", .prepare = prepare_senders, .call = call_receive, .second = look, .check = check_admits, .clear = clear},
    {.name = "mq_receive-admits-quiet", .prepare = prepare_senders, .call = call_receive, .check = check_admits, .clear = clear, .quiet = 1},
    {.name = "mq_receive-sleeps", .prepare = prepare_none, .call = call_receive, .feed = feed_message, .second = look, .check = check_receiver_slept, .clear = clear},
    {.name = "mq_open-create", .prepare = note_names, .call = call_open, .check = check_open, .clear = clear},
    {.name = "mq_open-find", .prepare = prepare_elsewhere, .call = call_find, .check = check_found, .clear = clear},
    {.name = "mq_unlink", .prepare = prepare_three, .call = call_unlink, .check = check_unlinked, .clear = clear},
    {.name = "mq_notify", .prepare = prepare_none, .call = call_notify, .second = look, .check = check_notify, .clear = clear},
    {.name = "mq_notify-null", .prepare = prepare_none, .warm = call_notify, .call = call_forgo, .check = check_notify, .clear = clear},
    {0},
};
