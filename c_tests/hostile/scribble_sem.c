/*
 * scribble_sem MODE: the file of a set of semaphores is written over, and processes go on using the set, sleeping
 * and undoing: every call ends soon, with success or an errno that semop or semctl may give; nobody
 * crashes, gets more values than there are, or spoils the neighbouring set.
 * MODE: holder (the set is in use while a word is spoilt), opener (a process opens it afterwards), live (random
 * words all the time, while four processes use it), undamaged (the control).
 */
#include "damage.h"
#include <sys/sem.h>

enum { SEMS = 17, PATTERNS = 4, HEAD_BYTES = 960, CELLS_AT = 12288, CELLS = 12, CELL_BYTES = 64, LIVE = 4 };
enum { NAP_MS = 10, SLOW_MS = 1000, FENCE = 40000 };

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *info;
};

static long *longest_ms; /* of all calls of all victims */
static unsigned long long seed = 88172645463325252ULL;

static uint64_t random64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* What one call ends with: in time, and fairly. */
static long judged(long result, int64_t begun)
{
    int number = errno;
    long took = (long)(now_ms() - begun);

    if (took > *longest_ms)
        *longest_ms = took;
    if (took > NAP_MS + SLOW_MS)
        blame("%s takes %ld ms", trail->call, took);
    errno = number;
    if (result != -1 || (errno != ERANGE && errno != EFBIG && errno != EINTR))
        tolerable(result);
    return result;
}

/* The time is taken first. */
#define TRY(expression) try_begun = now_ms(), errno = 0, judged(CALL(expression), try_begun)
static int64_t try_begun;

static int nap(int id, struct sembuf *ops, size_t count)
{
    struct timespec timeout = {0, NAP_MS * 1000000};

    return semtimedop(id, ops, count, &timeout);
}

/* Sleeps, wanting one operation, or so many that they need further cells. */
static void sleep_on(int id, int several)
{
    struct sembuf ops[8];
    int i;

    for (i = 0; i < 8; i++)
        ops[i] = (struct sembuf){(unsigned short)(16 - i), 0, SEM_UNDO};
    ops[7].sem_op = -1;
    TRY(nap(id, several ? ops : ops + 7, several ? 8 : 1));
}

static int make_set(int key)
{
    unsigned short values[SEMS] = {11, 22, 33};
    int id = semget(key, SEMS, IPC_CREAT | 0600);

    NEED(id != -1 && semctl(id, 0, SETALL, (union semun){.array = values}) == 0, "making a set");
    return id;
}

/* In use: the maker and a dead process have adjustments, and two sleep. */
static void make_sem(void)
{
    struct sembuf mine[] = {{0, -1, SEM_UNDO}, {16, 0, 0}, {5, 1, SEM_UNDO}};
    int id, i;

    id = make_set(VICTIM_KEY);
    make_set(NEIGHBOUR_KEY);
    NEED(semop(id, mine, 3) == 0, "semop");
    for (i = 0; i < 3; i++) {
        pid_t pid = fork_bound();

        if (pid == 0) {
            if (i < 2)
                sleep_on(id, i);
            else
                TRY(semop(id, &(struct sembuf){6, 2, SEM_UNDO}, 1));
            _exit(0);
        }
        if (i == 2)
            reap_well(pid, "who adjusts");
    }
    for (i = 0; i < 20 && semctl(id, 9, GETNCNT) + semctl(id, 16, GETZCNT) < 1; i++)
        sleep_ms(1);
}

static void check_neighbour(void)
{
    static const unsigned short wanted[SEMS] = {11, 22, 33};
    unsigned short values[SEMS];
    int id = CALL(semget(NEIGHBOUR_KEY, SEMS, 0));

    if (CALL(semctl(id, 0, GETALL, (union semun){.array = values})) == -1 || memcmp(values, wanted, sizeof values))
        blame("the neighbour is spoilt too (%s)", errno_name(errno));
}

/* No more values than the set had when it was made. */
static void get_all(int id)
{
    static unsigned short values[FENCE];
    int i;

    memset(values, 0xa5, sizeof values);
    TRY(semctl(id, 0, GETALL, (union semun){.array = values}));
    for (i = SEMS; i < FENCE; i++)
        if (values[i] != 0xa5a5)
            blame("GETALL wrote value %d of %d", i, SEMS);
}

static void operate(int id, unsigned round)
{
    struct sembuf up[] = {{(unsigned short)(round % SEMS), 1, SEM_UNDO}, {(unsigned short)(round * 7 % SEMS), 2, 0},
                          {(unsigned short)(round % 3), 1, 0}};
    struct sembuf down[] = {{(unsigned short)(round % SEMS), -1, SEM_UNDO | IPC_NOWAIT}, {0, -1, IPC_NOWAIT}};

    TRY(semop(id, up, 3));
    TRY(semop(id, up + 1, 1));
    TRY(semop(id, down, 2));
    TRY(semop(id, down + 1, 1));
    TRY(semop(id, &(struct sembuf){(unsigned short)(round % SEMS), 0, IPC_NOWAIT}, 1));
}

/* A process that ends holding something. */
static void adjust_and_die(int id)
{
    pid_t pid = fork_bound();

    if (pid == 0) {
        TRY(semop(id, &(struct sembuf){3, 1, SEM_UNDO}, 1));
        _exit(0);
    }
    if (reap(pid) != 0)
        blame("who adjusts and dies: %s %s", trail->call, trail->wrong);
}

static void look(int id, unsigned round)
{
    static const int commands[] = {GETVAL, GETPID, GETNCNT, GETZCNT};
    struct semid_ds ds;
    size_t i;

    for (i = 0; i < LENGTH(commands); i++)
        TRY(semctl(id, (int)(round * 5 + i) % SEMS, commands[i]));
    TRY(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}));
    TRY(semctl(0, 0, SEM_STAT, (union semun){.buf = &ds}));
    TRY(semctl(0, 0, SEM_INFO, (union semun){.info = &(struct seminfo){0}}));
    get_all(id);
}

static void set_values(int id, unsigned round)
{
    unsigned short values[FENCE] = {1, 2, 3};

    TRY(semctl(id, (int)(round % SEMS), SETVAL, (union semun){.val = 3}));
    TRY(semctl(id, 0, SETALL, (union semun){.array = values}));
}

static void use_sem(void)
{
    int id = (int)(TRY(semget(VICTIM_KEY, 0, 0)));
    struct semid_ds ds = {.sem_perm = {.mode = 0600}};
    unsigned round;

    for (round = 0; round < 3; round++) {
        operate(id, round * 8);
        look(id, round * 8);
    }
    adjust_and_die(id);
    sleep_on(id, 0);
    operate(id, 3);
    set_values(id, 5);
    TRY(semctl(id, 0, IPC_SET, (union semun){.buf = &ds}));
    TRY(semctl(id, 0, IPC_RMID));
    check_neighbour();
    TRY(semget(VICTIM_KEY, SEMS, IPC_CREAT | 0600));
}

static const struct kind set_kind = {"sem", make_sem, use_sem};

/* All clear, all set, random, off by one in a half. */
static uint64_t spoilt(int pattern, uint64_t old)
{
    switch (pattern) {
    case 0: return 0;
    case 1: return ~0ULL;
    case 2: return random64();
    default: return old + (random64() & 1 ? 1 : 1ULL << 32);
    }
}

/* One case: a set is made, one word of it spoilt, and used by its holder or by a newcomer. */
static int spoil_word(int who, off_t at, int pattern)
{
    char what[96];
    uint64_t old = 0, new;
    pid_t pid;
    int fd, go, died = 0;

    fresh_case();
    pid = start_maker(&set_kind, 1, &go);
    fd = open_object("sem");
    NEED(pread(fd, &old, sizeof old, at) == sizeof old, "pread");
    new = spoilt(pattern, old);
    NEED(pwrite(fd, &new, sizeof new, at) == sizeof new, "pwrite");
    snprintf(what, sizeof what, "%s, word at %lld: %#llx made %#llx", who == HOLDER ? "held" : "opened", (long long)at,
             (unsigned long long)old, (unsigned long long)new);
    if (who == NEWCOMER)
        died += victim_died(start_newcomer(use_sem), NEWCOMER, what);
    close(go);
    died += victim_died(pid, HOLDER, what);
    close(fd);
    end_case();
    return died;
}

/* Header, words, lists and the first steps of the redo record, and the first cells. */
static int words(int who)
{
    int pattern, died = 0;
    off_t at;

    for (at = 0; at < CELLS_AT + CELLS * CELL_BYTES && died < 10; at += 8) {
        if (at == HEAD_BYTES)
            at = CELLS_AT;
        for (pattern = 0; pattern < PATTERNS; pattern++)
            if (soaking() || pattern == (int)(at / 8 * 7 / 5 % PATTERNS))
                died += spoil_word(who, at, pattern);
    }
    say("the longest call took %ld ms", *longest_ms);
    return died != 0;
}

/* Uses the set, or the one that has taken its place, until told to stop. */
static void use_on(int me, const int *stop)
{
    unsigned round = (unsigned)me;
    int id = -1;

    while (!__atomic_load_n(stop, __ATOMIC_SEQ_CST)) {
        if (round % 16 == 0 || id == -1)
            id = (int)(TRY(semget(VICTIM_KEY, 0, 0)));
        if (me == 0)
            look(id, round);
        else if (me == 1)
            sleep_on(id, round % 2);
        else
            operate(id, round);
        if (me == 2 && round % 8 == 0)
            adjust_and_die(id);
        if (me == 3 && round % 8 == 0)
            set_values(id, round);
        round++;
    }
}

static void scribble(int fd, off_t bytes)
{
    uint64_t value = spoilt((int)(random64() % 3), 0);
    off_t at;

    switch (random64() % 3) {
    case 0: at = 192 + (off_t)(random64() % (HEAD_BYTES - 192)); break;
    case 1: at = CELLS_AT + (off_t)(random64() % (CELLS * CELL_BYTES)); break;
    default: at = (off_t)(random64() % (uint64_t)bytes); break;
    }
    /* A byte, or a word. */
    if (random64() % 2)
        NEED(pwrite(fd, &value, 1, at) == 1, "pwrite");
    else
        NEED(at + 8 > bytes || pwrite(fd, &value, sizeof value, at & ~7) == sizeof value, "pwrite");
}

static int live(void)
{
    int64_t end = now_ms() + (soaking() ? 60000 : 2000);
    int *stop = shared_memory(sizeof *stop), died = 0, rounds;

    for (rounds = 0; now_ms() < end && !died; rounds++) {
        pid_t pid[LIVE], maker;
        int fd, go, i;
        off_t bytes;

        fresh_case();
        maker = start_maker(&set_kind, 1, &go);
        fd = open_object("sem");
        bytes = lseek(fd, 0, SEEK_END);
        *stop = 0;
        for (i = 0; i < LIVE; i++) {
            pid[i] = fork_bound();
            if (pid[i] == 0) {
                trail = &trails[VICTIMS + i];
                use_on(i, stop);
                _exit(0);
            }
        }
        for (i = 0; i < 200; i++) {
            scribble(fd, bytes);
            if (i % 8 == 0)
                usleep((unsigned)(random64() % 3000));
        }
        __atomic_store_n(stop, 1, __ATOMIC_SEQ_CST);
        for (i = 0; i < LIVE; i++)
            died += victim_died(pid[i], VICTIMS + i, "scribbled while four used it");
        close(go);
        died += victim_died(maker, HOLDER, "scribbled while four used it");
        close(fd);
        end_case();
    }
    say("%d rounds, the longest call took %ld ms", rounds, *longest_ms);
    return died || rounds < 2;
}

/* On the kernel's sets too: what the victims do is right as long as nothing is spoilt. */
static int undamaged(void)
{
    int go, died;
    pid_t pid = start_maker(&set_kind, 1, &go);

    close(go);
    died = victim_died(pid, HOLDER, "undamaged, held");
    NEED(semctl(semget(VICTIM_KEY, 0, 0), 0, IPC_RMID) == 0, "IPC_RMID");
    pid = start_maker(&set_kind, 1, &go);
    died += victim_died(start_newcomer(use_sem), NEWCOMER, "undamaged, opened");
    close(go);
    died += victim_died(pid, HOLDER, "undamaged, opened by another");
    return died != 0;
}

static int held_words(void) { return words(HOLDER); }
static int opened_words(void) { return words(NEWCOMER); }

int main(int argc, char **argv)
{
    static const struct mode modes[] = {{"undamaged", undamaged}, {"holder", held_words}, {"opener", opened_words}, {"live", live}};

    NEED(argc == 2, "usage: scribble_sem MODE");
    trails = trail = shared_memory((VICTIMS + LIVE) * sizeof *trails);
    longest_ms = shared_memory(sizeof *longest_ms);
    return run_mode(modes, LENGTH(modes), argv[1]);
}
