/*
 * chaos MODE: workers block in every kind of call, and one after another is struck at random moments.
 *     kill    by SIGKILL, 200 times a second; another takes its place
 *     stop    by SIGSTOP, and SIGCONT a little later; some are killed while they are stopped
 *     exec    by SIGKILL, while all run themselves anew (exec) at random, some with a semaphore taken
 * Every message whose send returned is received exactly once, save at most one taken along by each killed
 * receiver; a semaphore with SEM_UNDO never admits two and never stays taken; arrays of operations are
 * done as a whole; nothing stands still; in the end nothing is left over.
 */
#include "chaos.h"

static const char *const mode_names[] = {"kill", "stop", "exec"};
enum { KILL, STOP, EXEC, MODES };
enum { STRIKES_A_SECOND = 200, STALL_MS = 2000 };

static pid_t pid[WORKERS];
static unsigned seed = 20;

static unsigned random_below(unsigned end)
{
    seed = seed * 1103515245U + 12345U;
    return (seed >> 8) % end;
}

/* ---- workers' lives ---- */

static void start_worker(int place)
{
    struct worker *worker = &shared->worker[place];

    store(&worker->life, worker->life + 1);
    worker->holds = 0;
    store(&worker->doing, NULL_CALL);
    pid[place] = fork_bound();
    if (pid[place] == 0)
        work(place);
}

static void note_death(int place)
{
    struct worker *worker = &shared->worker[place];
    int status = reap(pid[place]);

    errno = 0;
    NEED(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a %s ended with %s: %s", roles[place].name,
         status_text(status), shared->wrong);
    shared->killed[roles[place].role]++;
    shared->unknown[roles[place].role] += worker->begun - worker->returned;
    worker->begun = worker->returned;
    pid[place] = 0;
}

/* The life is marked as over first: who comes in after it may find its name at the door. */
static void kill_worker(int place)
{
    store(&shared->worker[place].doomed, shared->worker[place].life);
    NEED(kill(pid[place], SIGKILL) == 0, "SIGKILL");
    note_death(place);
}

static void strike(int mode)
{
    int place = (int)random_below(WORKERS), stays_dead;

    if (mode == STOP) {
        NEED(kill(pid[place], SIGSTOP) == 0, "SIGSTOP");
        usleep(random_below(8000));
        stays_dead = random_below(4) == 0;
        if (stays_dead) {
            kill_worker(place);
            start_worker(place);
        } else {
            NEED(kill(pid[place], SIGCONT) == 0, "SIGCONT");
        }
        return;
    }
    kill_worker(place);
    start_worker(place);
}

/* ---- the watchdog ---- */

static void tell_who_waits(void)
{
    char command[600];
    int place;

    for (place = 0; place < WORKERS; place++)
        dprintf(STDERR_FILENO, "%d %s: %s, last return %lld ms ago\n", (int)pid[place], roles[place].name,
                call_names[load(&shared->worker[place].doing)],
                (long long)(now_ms() - load(&shared->worker[place].returned_ms)));
    if (getenv("USIPC_DIR") && getenv("USIPC")) {
        snprintf(command, sizeof command, "LD_PRELOAD= '%s' ls >&2", getenv("USIPC"));
        if (system(command) != 0)
            dprintf(STDERR_FILENO, "no usipc ls\n");
    }
}

/* How long no call of this kind has returned. */
static int64_t stall_ms(int kind)
{
    int64_t last = 0;
    int place;

    for (place = 0; place < WORKERS; place++)
        if (kind_of(roles[place].role) == kind && load(&shared->worker[place].returned_ms) > last)
            last = load(&shared->worker[place].returned_ms);
    return now_ms() - last;
}

/* `slept_ms`: for how long the machine has let nobody run, it seems. */
static void watch(int64_t slept_ms)
{
    int kind;

    errno = 0;
    NEED(!load(&shared->blamed) || (sleep_ms(10), 0), "%s", shared->wrong);
    for (kind = 0; kind < KINDS; kind++) {
        int64_t stalled = stall_ms(kind) - slept_ms;

        if (stalled > shared->longest_ms[kind])
            shared->longest_ms[kind] = stalled;
        if (stalled <= STALL_MS)
            continue;
        tell_who_waits();
        WRONG("%s stand still for %lld ms", kind_names[kind], (long long)stalled);
    }
}

static void massacre(int mode)
{
    int64_t begin = now_ms(), end = begin + seconds() * 1000, last = begin;
    int strikes = 0, place;

    for (place = 0; place < WORKERS; place++) {
        store(&shared->worker[place].returned_ms, begin);
        start_worker(place);
    }
    while (now_ms() < end) {
        int64_t before = now_ms();

        while (strikes * 1000 < (now_ms() - begin) * STRIKES_A_SECOND && now_ms() < before + 50) {
            strike(mode);
            strikes++;
        }
        watch(before - last > 100 ? before - last : 0);
        last = now_ms();
        usleep(2000);
    }
    for (place = 0; place < WORKERS; place++)
        kill_worker(place);
    say("%d strikes", strikes);
}

/* ---- what is left ---- */

static void check_sent(int kind)
{
    const struct channel *channel = &shared->channel[kind];
    unsigned i, last = channel->next < MESSAGES ? channel->next : MESSAGES, returned = 0, lost = 0;
    int killed = shared->killed[kind == MSG ? MSG_RECEIVER : MQ_RECEIVER];

    for (i = 0; i < last; i++) {
        NEED(channel->got[i] <= 1, "%s: %u was received %d times", kind_names[kind], i, channel->got[i]);
        NEED(!channel->got[i] || channel->sent[i], "%s: %u was never sent", kind_names[kind], i);
        returned += channel->sent[i] == RETURNED;
        lost += channel->sent[i] == RETURNED && !channel->got[i];
    }
    NEED(lost <= (unsigned)killed, "%s: %u lost, %d receivers killed", kind_names[kind], lost, killed);
    NEED(returned > 100, "%s: only %u sent", kind_names[kind], returned);
    say("%s: %u sent, %u lost with %d killed receivers", kind_names[kind], returned, lost, killed);
}

/* In the end it is what went in less what came out, give or take what the killed may have done. */
static void check_posted(void)
{
    int value, place, done[2] = {0, 0}, unknown[2] = {shared->unknown[POSTER], shared->unknown[WAITER]};

    for (place = 0; place < WORKERS; place++)
        if (kind_of(roles[place].role) == PSEM)
            done[roles[place].role == WAITER] += (int)shared->worker[place].returned;
    NEED(sem_getvalue(objects.psem, &value) == 0, "sem_getvalue");
    NEED(value >= done[0] - done[1] - unknown[1] && value <= done[0] + unknown[0] - done[1],
         "%d posts (%d more?), %d waits (%d more?), value %d", done[0], unknown[0], done[1], unknown[1], value);
    NEED(done[1] > 100, "only %d waits", done[1]);
    say("sem_post: %d, sem_wait: %d, value %d", done[0], done[1], value);
}

static void check_semaphores(void)
{
    unsigned short values[SEMS];
    int i, wanted[SEMS] = {1, 1};

    NEED(semctl(objects.set, 0, GETALL, (union semun){.array = values}) == 0, "GETALL");
    for (i = 0; i < 2; i++) {
        NEED(values[i] == wanted[i], "lock %d is %d in the end", i, values[i]);
        NEED(semctl(objects.set, i, GETNCNT) == 0, "somebody waits for lock %d", i);
    }
    NEED(values[2] + values[3] == TOKENS, "%d and %d tokens, not %d", values[2], values[3], TOKENS);
    NEED(shared->entered > 100 && shared->moved > 100, "only %lu and %lu semop", shared->entered, shared->moved);
    say("locks: %lu turns; arrays: %lu moves", shared->entered, shared->moved);
}

static void check_segments(void)
{
    struct shmid_ds ds;
    int i;

    for (i = 0; i < SEGMENTS; i++) {
        NEED(shmctl(objects.segment[i], IPC_STAT, &ds) == 0, "IPC_STAT");
        NEED(ds.shm_nattch == 0, "%lu attached to nobody", (unsigned long)ds.shm_nattch);
    }
    NEED(shared->attached > 100, "only %lu shmat", shared->attached);
    say("shmat: %lu", shared->attached);
}

static void check_nothing_left(void)
{
    static const char *const rooms[] = {"msg", "sem", "shm", "keys", "mq", "psem", "poll"};
    int lives = 0;
    size_t i;

    remove_objects();
    NEED(queues_in_use() == 0, "queues are left");
    for (i = 0; i < LENGTH(rooms); i++)
        NEED(namespace_entries(rooms[i]) == 0, "something is left in %s", rooms[i]);
    lives = count_entries("procs");
    NEED(lives <= 8 * WORKERS, "%d lifelines of %d workers", lives, WORKERS);
}

int main(int argc, char **argv)
{
    int mode = 0, kind;

    NEED(argc > 1, "usage: chaos kill|stop|exec");
    if (strcmp(argv[1], "worker") == 0)
        go_on(argv);
    while (mode < MODES && strcmp(argv[1], mode_names[mode]) != 0)
        mode++;
    NEED(mode < MODES, "no such mode");
    make_shared();
    shared->execs = mode == EXEC;
    make_objects();
    massacre(mode);
    NEED(!shared->wrong[0], "%s", shared->wrong);
    drain();
    errno = 0;
    check_sent(MSG);
    check_sent(MQ);
    check_capacity();
    check_semaphores();
    check_posted();
    check_segments();
    for (kind = 0; kind < KINDS; kind++)
        say("%s: longest pause %lld ms", kind_names[kind], (long long)shared->longest_ms[kind]);
    check_nothing_left();
    return 0;
}
