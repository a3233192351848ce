/* System V semaphores. */
#include "points.h"
#include <sys/ipc.h>
#include <sys/sem.h>

enum { KEY = 0x5e01, SEMS = 3, NEW_MODE = 0640 };

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *info;
};

static const unsigned short first_values[SEMS] = {2, 0, 5};
static int set, names;

static int operate(int sem, int change, int flags)
{
    struct sembuf op = {(unsigned short)sem, (short)change, (short)flags};

    return semop(set, &op, 1);
}

static int make(int flags)
{
    int id = semget(KEY, SEMS, IPC_CREAT | flags | 0600);

    if (id != -1)
        need(semctl(id, 0, SETALL, (union semun){.array = (unsigned short *)first_values}) == 0, "SETALL");
    return id;
}

static void prepare(void)
{
    names = count_in("sem");
    set = make(IPC_EXCL);
    need(set != -1, "semget");
}

static int value(int sem) { return semctl(set, sem, GETVAL); }

/* That the values are these, of which -1 is not looked at. */
static void expect_values(int a, int b, int c)
{
    int wanted[SEMS] = {a, b, c}, i;
    unsigned short all[SEMS] = {0};

    expect(semctl(set, 0, GETALL, (union semun){.array = all}) == 0, "GETALL: %s", strerror(errno));
    for (i = 0; i < SEMS; i++)
        expect(wanted[i] == -1 || (wanted[i] == all[i] && wanted[i] == value(i)), "semaphore %d is %d by GETALL, %d by GETVAL, not %d",
               i, all[i], value(i), wanted[i]);
}

/* Nobody waits, every semaphore can be used, and nothing that the dead have done comes later. */
static void expect_usable(void)
{
    struct sembuf all[SEMS] = {{0, -1, 0}, {1, -1, 0}, {2, -1, 0}};
    int i;

    for (i = 0; i < SEMS; i++) {
        expect(semctl(set, i, GETNCNT) == 0 && semctl(set, i, GETZCNT) == 0, "%d and %d wait for semaphore %d",
               semctl(set, i, GETNCNT), semctl(set, i, GETZCNT), i);
        expect(semctl(set, i, SETVAL, (union semun){.val = i}) == 0, "SETVAL: %s", strerror(errno));
        expect(operate(i, 1, SEM_UNDO) == 0 && operate(i, -1, SEM_UNDO) == 0 && operate(i, 1, 0) == 0, "semop: %s", strerror(errno));
    }
    expect(semop(set, all, SEMS) == 0, "semop: %s", strerror(errno));
    expect_values(0, 1, 2);
}

static void look_at_all(void)
{
    struct semid_ds status;
    struct seminfo info;
    int index;

    for (index = semctl(0, 0, SEM_INFO, (union semun){.info = &info}); index >= 0; index--)
        semctl(index, 0, SEM_STAT, (union semun){.buf = &status});
}

static void clear(void)
{
    look_at_all();
    expect(semget(KEY, 0, 0) == set, "the key leads elsewhere");
    expect(semctl(set, 0, IPC_RMID) == 0, "IPC_RMID: %s", strerror(errno));
    expect(semget(KEY, 0, 0) == -1 && errno == ENOENT, "the key leads somewhere after IPC_RMID");
    expect(count_in("sem") == names, "%d sets are left", count_in("sem") - names);
}

static void look(void)
{
    unsigned short all[SEMS];

    semctl(set, 0, GETALL, (union semun){.array = all});
}

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

static int check_undone(int ended)
{
    (void)ended;
    expect_values(2, 0, 5);
    expect_usable();
    return 0;
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

/* Sleepers: one who wants a unit of semaphore 1; one who holds it with SEM_UNDO from then on; an array. */
static void take_one(struct note *note)
{
    note->result = operate(1, -1, 0);
    note->error = errno;
}

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

static void prepare_taker(void)
{
    prepare();
    start_sleeper(0, take_one);
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

/* SETVAL and SETALL, where another has adjustments, and one sleeps. */
static void hold_zero(struct note *note)
{
    note->result = operate(0, -1, SEM_UNDO);
    pause();
}

static void prepare_adjusted(void)
{
    prepare();
    start_sleeper(0, take_one);
    start_sleeper(1, hold_zero);
}

static void call_setval(void) { semctl(set, 0, SETVAL, (union semun){.val = 7}); }

static int check_setval(int ended)
{
    int outcome = value(0) == 7;

    expect(!ended || outcome, "the call has returned, and has not been done");
    expect_values(outcome ? 7 : 1, 0, 5);
    end_sleeper(1);
    expect_values(outcome ? 7 : 2, 0, 5);
    expect(operate(1, 1, 0) == 0, "semop: %s", strerror(errno));
    await_sleeper(0);
    expect_usable();
    return outcome;
}

static unsigned short other_values[SEMS] = {7, 1, 9};

static void call_setall(void) { semctl(set, 0, SETALL, (union semun){.array = other_values}); }

static int check_setall(int ended)
{
    int outcome;

    let_be(0);
    outcome = value(2) == 9;
    expect(!ended || outcome, "the call has returned, and has not been done");
    expect(!scenario->quiet || outcome == is_done(0), "its turn had come, and it was not told");
    outcome ? expect_values(7, 0, 9) : expect_values(1, 0, 5);
    end_sleeper(1);
    outcome ? expect_values(7, 0, 9) : expect_values(2, 0, 5);
    if (!outcome)
        expect(operate(1, 1, 0) == 0, "semop: %s", strerror(errno));
    await_sleeper(0);
    expect_values(-1, 0, -1);
    expect_usable();
    return outcome;
}

/* The victim is the one who finds what a dead process has left to be undone, with somebody waiting for it. */
static void take_two_and_end(void)
{
    if (operate(0, -2, SEM_UNDO) == -1 || operate(2, 3, SEM_UNDO) == -1)
        _exit(1);
}

static void take_zero(struct note *note)
{
    note->result = operate(0, -1, 0);
    note->error = errno;
}

static void hold_both(struct note *note)
{
    (void)note;
    take_two_and_end();
    pause();
}

static void prepare_left(void)
{
    prepare();
    in_child(take_two_and_end);
}

static void prepare_left_to_sleeper(void)
{
    prepare();
    start_sleeper(1, hold_both);
    start_sleeper(0, take_zero);
    end_sleeper(1);
}

static void call_getval(void) { semctl(set, 0, GETVAL); }

static int check_left_to_sleeper(int ended)
{
    const struct note *note = await_sleeper(0);

    (void)ended;
    expect(note && note->result == 0, "the sleeper got an error");
    expect_values(1, 0, 5);
    expect_usable();
    return 0;
}

/* semget, IPC_RMID, IPC_SET. */
static void note_names(void)
{
    names = count_in("sem");
    set = -1;
}

static void call_get(void) { semget(KEY, SEMS, IPC_CREAT | IPC_EXCL | 0600); }
static void call_find(void) { semget(KEY, SEMS, 0); }

static int check_get(int ended)
{
    int outcome;

    set = semget(KEY, SEMS, 0);
    outcome = set != -1;
    expect(outcome || errno == ENOENT, "semget: %s", strerror(errno));
    expect(!ended || outcome, "the call has returned, and there is no set");
    if (outcome)
        expect_values(0, 0, 0);
    else
        set = semget(KEY, SEMS, IPC_CREAT | IPC_EXCL | 0600);
    expect_usable();
    return outcome;
}

static void make_elsewhere(void) { make(IPC_EXCL); }

static void prepare_elsewhere(void)
{
    note_names();
    in_child(make_elsewhere);
}

static int check_found(int ended)
{
    (void)ended;
    set = semget(KEY, SEMS, 0);
    expect_values(2, 0, 5);
    expect_usable();
    return 0;
}

static void call_remove(void) { semctl(set, 0, IPC_RMID); }

static int check_removed(int ended)
{
    const struct note *note;
    int outcome, before = set;

    let_be(0);
    outcome = semget(KEY, 0, 0) == -1;
    expect(!outcome || errno == ENOENT, "semget: %s", strerror(errno));
    expect(!ended || outcome, "the call has returned, and the set is there");
    expect(!scenario->quiet || outcome == is_done(0), "the sleeper does not know");
    if (outcome)
        expect(operate(0, 1, 0) == -1 && (errno == EINVAL || errno == EIDRM), "removed, but not gone");
    else
        expect(operate(1, 1, 0) == 0, "semop: %s", strerror(errno));
    note = await_sleeper(0);
    expect(note && (outcome ? note->result == -1 && note->error == EIDRM : note->result == 0), "the sleeper got %ld: %s",
           note ? note->result : 0, note ? strerror(note->error) : "");
    if (outcome)
        set = make(IPC_EXCL);
    expect(set != -1 && (set == before) == !outcome, "made again: %d (%s), it was %d", set, strerror(errno), before);
    expect_values(2, 0, 5);
    expect_usable();
    return outcome;
}

static void call_set(void)
{
    struct semid_ds status;

    semctl(set, 0, IPC_STAT, (union semun){.buf = &status});
    status.sem_perm.mode = NEW_MODE;
    semctl(set, 0, IPC_SET, (union semun){.buf = &status});
}

static int check_set(int ended)
{
    struct semid_ds status = {0};
    int mode, outcome;

    expect(semctl(set, 0, IPC_STAT, (union semun){.buf = &status}) == 0, "IPC_STAT: %s", strerror(errno));
    mode = status.sem_perm.mode & 0777;
    outcome = mode == NEW_MODE;
    expect(outcome || mode == 0600, "the mode is %o", mode);
    expect(status.sem_perm.uid == geteuid() && status.sem_perm.gid == getegid() && status.sem_nsems == SEMS, "the rest is changed");
    expect(!ended || outcome, "the call has returned, and has not been done");
    expect(operate(1, 1, 0) == 0, "semop: %s", strerror(errno));
    await_sleeper(0);
    expect_values(2, 0, 5);
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
    {.name = "semctl-setval", .prepare = prepare_adjusted, .call = call_setval, .second = look, .check = check_setval, .clear = clear},
    {.name = "semctl-setall", .prepare = prepare_adjusted, .call = call_setall, .second = look, .check = check_setall, .clear = clear},
    {.name = "semctl-setall-quiet", .prepare = prepare_adjusted, .call = call_setall, .check = check_setall, .clear = clear, .quiet = 1},
    {.name = "semctl-reaps", .prepare = prepare_left, .call = call_getval, .second = look, .check = check_undone, .clear = clear},
    {.name = "semctl-reaps-serves", .prepare = prepare_left_to_sleeper, .call = call_getval, .second = look, .check = check_left_to_sleeper, .clear = clear},
    {.name = "semget-key", .prepare = note_names, .call = call_get, .check = check_get, .clear = clear},
    {.name = "semget-find", .prepare = prepare_elsewhere, .call = call_find, .check = check_found, .clear = clear},
    {.name = "semctl-rmid", .prepare = prepare_taker, .call = call_remove, .second = call_find, .check = check_removed, .clear = clear},
    {.name = "semctl-rmid-quiet", .prepare = prepare_taker, .call = call_remove, .check = check_removed, .clear = clear, .quiet = 1},
    {.name = "semctl-set", .prepare = prepare_taker, .call = call_set, .second = look, .check = check_set, .clear = clear},
    {0},
};
