/* System V semaphores: semop. */
#include "sem.h"

/* One semaphore, without and with SEM_UNDO. */
static void call_up(void) { operate(0, 1, 0); }
static void rival_up(void) { operate(0, 4, SEM_UNDO); }

static int check_up(int ended)
{
    int outcome = value(0) - 2;

    /* What the rival did, it has undone by ending. */
    end_of_rival();
    outcome = value(0) - 2;
    expect(outcome == 0 || outcome == 1, "semaphore 0 is %d", outcome + 2);
    expect(!ended || outcome == 1, "the call has returned, and has not been done");
    expect_values(-1, 0, 5);
    expect_usable();
    return outcome;
}

static void call_down_undo(void) { operate(0, -1, SEM_UNDO); }

static void call_twice_undo(void)
{
    operate(0, -1, SEM_UNDO);
    operate(0, 1, SEM_UNDO);
}

/* Arrays: all or nothing. */
static void call_array(void)
{
    struct sembuf ops[] = {{0, -1, 0}, {1, 1, 0}, {2, -2, 0}, {1, 2, 0}};

    semop(set, ops, LENGTH(ops));
}

static int check_array(int ended)
{
    int outcome = value(0) == 1;

    expect(!ended || outcome, "the call has returned, and has not been done");
    outcome ? expect_values(1, 3, 3) : expect_values(2, 0, 5);
    expect_usable();
    return outcome;
}

static void call_array_undo(void)
{
    struct sembuf ops[] = {{0, -2, SEM_UNDO}, {1, 1, 0}, {2, 3, SEM_UNDO}};

    semop(set, ops, LENGTH(ops));
}

static int check_array_undo(int ended)
{
    int outcome = value(1);

    expect(!ended || outcome == 1, "the call has returned, and has not been done");
    expect_values(2, outcome, 5);
    expect_usable();
    return outcome;
}

/* Sleepers: one who holds a unit of semaphore 1 with SEM_UNDO once he has it; one who wants an array. */
static void hold_one(struct note *note)
{
    note->result = operate(1, -1, SEM_UNDO);
    note->error = errno;
    __atomic_store_n(&note->done, 1, __ATOMIC_RELEASE);
    pause();
}

static void take_both(struct note *note)
{
    struct sembuf ops[] = {{1, -1, 0}, {2, -6, 0}};

    note->result = semop(set, ops, 2);
    note->error = errno;
}

static void prepare_holder(void)
{
    prepare();
    start_sleeper(0, hold_one);
}

static void prepare_array_taker(void)
{
    prepare();
    start_sleeper(0, take_both);
    start_sleeper(1, take_one);
}

static void call_up_one(void) { operate(1, 1, 0); }

static int check_serves(int ended)
{
    const struct note *note;
    int outcome, waits, quick;

    let_be(0);
    quick = is_done(0);
    waits = semctl(set, 1, GETNCNT);
    outcome = !waits;
    expect(!scenario->quiet || outcome == quick, "its turn had come, and it was not told");
    expect(!ended || outcome, "the call has returned, and the sleeper waits");
    expect(value(1) == 0, "semaphore 1 is %d", value(1));
    if (!outcome)
        expect(operate(1, 1, 0) == 0, "semop: %s", strerror(errno));
    note = await_sleeper(0);
    expect(note && note->result == 0, "the sleeper got an error");
    expect_values(2, 0, 5);
    end_sleeper(0);
    if (scenario->prepare == prepare_holder)
        expect_values(2, 1, 5);
    expect_usable();
    return outcome;
}

static void call_up_both(void)
{
    struct sembuf ops[] = {{1, 2, 0}, {2, 1, 0}};

    semop(set, ops, 2);
}

static int check_serves_array(int ended)
{
    int i, outcome;

    let_be(0);
    let_be(1);
    outcome = semctl(set, 1, GETNCNT) + semctl(set, 2, GETNCNT) == 0;
    expect(!scenario->quiet || outcome == (is_done(0) && is_done(1)), "their turn had come, and they were not told");
    expect(!ended || outcome, "the call has returned, and sleepers wait");
    if (!outcome) {
        expect_values(2, 0, 5);
        call_up_both();
    }
    for (i = 0; i < 2; i++) {
        const struct note *note = await_sleeper(i);
        expect(note && note->result == 0, "sleeper %d got an error", i);
    }
    expect_values(2, 0, 0);
    expect_usable();
    return outcome;
}

/* The victim sleeps. */
static void call_take(void) { operate(1, -1, 0); }
static void call_hold(void) { operate(1, -1, SEM_UNDO); }

static void call_take_both(void)
{
    struct sembuf ops[] = {{1, -1, 0}, {2, -5, 0}};

    semop(set, ops, 2);
}

static void feed_one(void) { need(operate(1, 1, 0) == 0, "semop"); }

static int check_slept(int ended)
{
    int outcome = fed - value(1), both = scenario->call == call_take_both;

    expect(outcome == 0 || outcome == 1, "semaphore 1 is %d", value(1));
    expect(!ended || (fed && (outcome || scenario->call == call_hold)), "the call has returned, and has not been done");
    expect_values(2, fed - outcome, both && outcome ? 0 : 5);
    if (scenario->call == call_hold)
        expect(outcome == 0, "what the dead held is not back");
    expect_usable();
    return outcome;
}

const struct scenario sem_scenarios[] = {
    {.name = "semop", .prepare = prepare, .call = call_up, .second = look, .check = check_up, .clear = clear},
    {.name = "semop-cold", .prepare = prepare, .call = call_up, .check = check_up, .clear = clear},
    {.name = "semop-rival", .prepare = prepare, .call = call_up, .rival = rival_up, .check = check_up, .clear = clear},
    {.name = "semop-undo", .prepare = prepare, .call = call_down_undo, .second = look, .check = check_undone, .clear = clear},
    {.name = "semop-undo-twice", .prepare = prepare, .call = call_twice_undo, .check = check_undone, .clear = clear},
    {.name = "semop-array", .prepare = prepare, .call = call_array, .second = look, .check = check_array, .clear = clear},
    {.name = "semop-array-undo", .prepare = prepare, .call = call_array_undo, .second = look, .check = check_array_undo, .clear = clear},
    {.name = "semop-serves", .prepare = prepare_taker, .call = call_up_one, .second = look, .check = check_serves, .clear = clear},
    {.name = "semop-serves-quiet", .prepare = prepare_taker, .call = call_up_one, .check = check_serves, .clear = clear, .quiet = 1},
    {.name = "semop-serves-undo", .prepare = prepare_holder, .call = call_up_one, .second = look, .check = check_serves, .clear = clear},
    {.name = "semop-serves-array", .prepare = prepare_array_taker, .call = call_up_both, .second = look, .check = check_serves_array, .clear = clear},
    {.name = "semop-serves-array-quiet", .prepare = prepare_array_taker, .call = call_up_both, .check = check_serves_array, .clear = clear, .quiet = 1},
    {.name = "semop-sleeps", .prepare = prepare, .call = call_take, .feed = feed_one, .second = look, .check = check_slept, .clear = clear},
    {.name = "semop-sleeps-undo", .prepare = prepare, .call = call_hold, .feed = feed_one, .second = look, .check = check_slept, .clear = clear},
    {.name = "semop-sleeps-array", .prepare = prepare, .call = call_take_both, .feed = feed_one, .second = look, .check = check_slept, .clear = clear},
    {0},
};
