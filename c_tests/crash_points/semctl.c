/* System V semaphores: semget and semctl. */
#include "sem.h"

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
    struct seminfo info;
    int outcome;

    /* First, and alone: it buries the set whose key was never set. */
    expect(semctl(0, 0, SEM_INFO, &info) != -1, "SEM_INFO: %s", strerror(errno));
    set = semget(KEY, SEMS, 0);
    outcome = set != -1;
    expect(outcome || errno == ENOENT, "semget: %s", strerror(errno));
    expect(info.semusz - names == outcome, "%d sets", info.semusz - names);
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

const struct scenario semctl_scenarios[] = {
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
