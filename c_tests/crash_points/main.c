/*
 * points list              the names of all scenarios
 * points NAME every        kills after every instruction of the call; after a thousand without a change of the
 *                          world, at one in a hundred until there is one
 * points NAME changes      only where the world has changed, by a store to an object's file or a system
 *                          call: instructions between which neither happens leave the same behind,
 *                          since the process's own memory dies with it
 * points NAME sample N     N of those, chosen by a fixed seed
 * points NAME second [N]   kills where the world has changed, and then the next caller, whose call
 *                          repairs, where it changes the world; all pairs, or N of them
 * points NAME at I [J]     one run (and J steps of the next caller), for looking into a failure
 * points NAME way          the places where the world changes
 *
 * A scenario's call is single-stepped in a child (ptrace), which is killed with SIGKILL after the n-th
 * instruction; then this process looks at what is left. It prints a line of counts (astray: kills of
 * which it cannot be said whether they came before or after others); for a failure,
 * the step, the place in the sources, and what is wrong. Runs under the preload, in a namespace of its own.
 */
#include "points.h"
#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/msg.h>
#include <sys/wait.h>

enum { REPORTED = 3, ASTRAY = INT_MIN };

const struct scenario *scenario;
int fed, rivalled;

static struct trace way, second_way; /* of the victim, and of the next caller */
static int n_now, second_now, runs, failures, astray, strictly;
static unsigned long pc_now, second_pc;
static char blame[2000];
static unsigned seed = 1;
static int registry;

void give_up(const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s: step %d, then %d: cannot go on: ", scenario ? scenario->name : "points", n_now, second_now);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, " (%s)\n%s", strerror(errno), blame);
    exit(2);
}

void complain(const char *file, int line, const char *format, ...)
{
    size_t used = strlen(blame);
    va_list arguments;

    used += (size_t)snprintf(blame + used, sizeof blame - used, "  %s:%d: ", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line);
    if (used >= sizeof blame)
        return;
    va_start(arguments, format);
    used += (size_t)vsnprintf(blame + used, sizeof blame - used, format, arguments);
    va_end(arguments);
    if (used < sizeof blame - 1)
        strcpy(blame + used, "\n");
}

/* Where an address is: by addr2line, which has the lines of the unstripped library. */
static void print_place(const char *what, unsigned long pc)
{
    char line[4300], path[4096], command[4400];
    unsigned long start, end, offset, base = 0;
    FILE *maps = fopen("/proc/self/maps", "re");

    while (maps && fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %4095s", &start, &end, &offset, path) != 4)
            continue;
        if (offset == 0)
            base = start;
        if (pc < start || pc >= end)
            continue;
        printf("  %s before %s+%#lx\n", what, path, pc - base);
        fflush(stdout);
        snprintf(command, sizeof command, "LD_PRELOAD= addr2line -ipsfCe '%s' %#lx 2>/dev/null | sed 's/^/    /'", path, pc - base);
        if (strchr(path, '/') && system(command) == -1)
            printf("    (no addr2line)\n");
        break;
    }
    if (maps)
        fclose(maps);
}

static void too_long(int signal_number)
{
    (void)signal_number;
    give_up("this takes too long");
}

/* Makes a process known to the namespace, so that what is stepped is its call alone. */
static void register_me(void)
{
    struct msgbuf message = {1, {0}};

    if (msgsnd(registry, &message, 1, 0) == -1 || msgrcv(registry, &message, 1, 0, 0) == -1)
        _exit(1);
}

static void warm_up(void)
{
    if (!strstr(scenario->name, "-cold"))
        register_me();
    if (scenario->warm)
        scenario->warm();
}

static void report(int outcome)
{
    if (blame[0] && failures++ < REPORTED) {
        printf("%s: step %d", scenario->name, n_now);
        if (second_now >= 0)
            printf(", then step %d of the next caller", second_now);
        printf(" (outcome %d):\n%s", outcome, blame);
        print_place("killed", pc_now);
        if (second_now >= 0)
            print_place("the next caller killed", second_pc);
        fflush(stdout);
    }
}

static void begin_run(int n, int second)
{
    alarm(300);
    n_now = n;
    second_now = second;
    fed = rivalled = 0;
    blame[0] = 0;
    scenario->prepare();
}

/* Prepares, steps the victim `n` times, and kills it; whether its call had ended. */
static int kill_at(int n, int second)
{
    int ended;
    pid_t victim;

    begin_run(n, second);
    victim = start_stepped(warm_up, scenario->call);
    ended = strictly ? step_along(victim, &way, n) : step_to(victim, &way, n);
    pc_now = pc_of(victim);
    if (scenario->rival)
        start_rival(register_me);
    kill_and_reap(victim);
    if (scenario->rival)
        await_sleeper(SLEEPERS - 1);
    return ended;
}

static int conclude(int ended)
{
    int outcome = scenario->check(ended);

    end_sleepers();
    scenario->clear();
    runs++;
    report(outcome);
    return outcome;
}

/* One run with one kill. */
static int run_to(int n)
{
    int ended = kill_at(n, -1);

    return conclude(ended);
}

/* The same, if the call goes the way that was learnt, step by step; else ASTRAY. It need not: a thread that polls looks as
 * often as the clock allows, and a number may have more digits. Then a place may be visited where it was not. */
static int run_on_way(int n)
{
    int tries, outcome = ASTRAY;

    strictly = 1;
    for (tries = 0; tries < 4 && outcome == ASTRAY; tries++) {
        outcome = run_to(n);
        if (n <= way.length && pc_now != way.steps[n].pc)
            outcome = ASTRAY;
    }
    strictly = 0;
    astray += outcome == ASTRAY;
    return outcome;
}

/* One run in which the next caller is killed too. */
static void run_both(int n, int second)
{
    int ended = kill_at(n, second);
    pid_t next = start_stepped(register_me, scenario->second);

    step_to(next, &second_way, second);
    second_pc = pc_of(next);
    kill_and_reap(next);
    conclude(ended);
}

/* The way is not always the same (a clock read anew): the shortest of some, so that others can be waited for. */
static void learn(int times)
{
    struct trace found = {0};
    int i;

    for (i = 0; i < times; i++) {
        pid_t victim;

        begin_run(-1, -1);
        victim = start_stepped(warm_up, scenario->call);
        trace_to_end(victim, &found);
        kill_and_reap(victim);
        conclude(1);
        if (i == 0 || found.length < way.length) {
            struct trace longer = way;

            way = found;
            found = longer;
        }
    }
    free(found.steps);
}

static void learn_second(int n)
{
    int ended = kill_at(n, 0);
    pid_t next = start_stepped(register_me, scenario->second);

    trace_to_end(next, &second_way);
    kill_and_reap(next);
    second_now = second_way.length;
    conclude(ended);
}

static unsigned random_below(unsigned n)
{
    seed = seed * 1103515245U + 12345U;
    return (seed >> 8) % n;
}

static int changes(const struct trace *trace)
{
    int i, n = 0;

    for (i = 0; i <= trace->length; i++)
        n += trace->steps[i].change;
    return n;
}

static int lesser(int a, int b)
{
    return a < b ? a : b;
}

/* Kills at the steps of the way: at every, or with probability sample/of at those where the world has
 * changed. What has once happened must have happened at all later steps. */
static void run_all(int every, unsigned sample, unsigned of)
{
    int i, again, outcome, last = -1000, changed = 0;

    for (i = 0; i <= way.length + 1 && failures < REPORTED; i++) {
        int change = i > way.length || way.steps[i].change;

        changed = change ? i : changed;
        if (every ? i - changed > 1000 && i % 100 : i <= way.length && !(change && random_below(of) < sample))
            continue;
        outcome = run_to(i);
        /* It may have taken another way: that is not to pass for the rule. */
        for (again = 0; again < 2 && outcome > last; again++)
            outcome = lesser(outcome, run_to(i));
        if (outcome != last)
            outcome = run_on_way(i);
        if (outcome == ASTRAY)
            continue;
        blame[0] = 0;
        expect(outcome >= last, "outcome %d, but it was %d at an earlier step", outcome, last);
        report(outcome);
        last = outcome > last ? outcome : last;
    }
}

static int any_change(const struct trace *trace)
{
    int i = 0, nth = (int)random_below((unsigned)changes(trace));

    while (!trace->steps[i].change || nth--)
        i++;
    return i;
}

static void run_seconds(int sample)
{
    int i, k;

    for (i = 0; !sample && i <= way.length && failures < REPORTED; i++)
        if (way.steps[i].change) {
            learn_second(i);
            for (k = 0; k <= second_way.length && failures < REPORTED; k++)
                if (second_way.steps[k].change)
                    run_both(i, k);
        }
    while (sample > 0) {
        i = any_change(&way);
        learn_second(i);
        for (k = 0; k < 3 && sample > 0; k++, sample--)
            run_both(i, any_change(&second_way));
    }
}

static void show_way(void)
{
    int i;

    for (i = 0; i <= way.length; i++)
        if (way.steps[i].change) {
            printf("step %d:\n", i);
            print_place("at", way.steps[i].pc);
        }
}

static const struct scenario *find(const char *name, int list)
{
    static const struct scenario *const tables[] = {msg_scenarios, msgctl_scenarios, mq_scenarios, sem_scenarios,
                                                   semctl_scenarios, shm_scenarios, named_scenarios};
    const struct scenario *s;
    size_t i;

    for (i = 0; i < LENGTH(tables); i++)
        for (s = tables[i]; s->name; s++) {
            if (list)
                printf("%s%s\n", s->name, s->second ? " second" : "");
            else if (strcmp(s->name, name) == 0)
                return s;
        }
    return NULL;
}

/* Everything runs on one processor: the two sides of a step take turns anyway, and so are quicker. */
static void set_up(void)
{
    cpu_set_t set;
    int cpu = (int)(getpid() % sysconf(_SC_NPROCESSORS_ONLN));

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
    make_sleepers();
    signal(SIGALRM, too_long);
    registry = msgget(IPC_PRIVATE, 0600);
    need(registry != -1, "msgget");
}

/* Nothing may be left over when all is removed. */
static void check_left_over(void)
{
    static const char *const rooms[] = {"msg", "sem", "shm", "keys", "mq", "psem", "pshm", "poll"};
    struct msqid_ds ignored;
    struct msginfo info;
    size_t i;
    int index;

    blame[0] = 0;
    msgctl(registry, IPC_RMID, NULL);
    for (index = msgctl(0, MSG_INFO, (struct msqid_ds *)&info); index >= 0; index--)
        msgctl(index, MSG_STAT, &ignored);
    for (i = 0; i < LENGTH(rooms); i++)
        expect(count_in(rooms[i]) == 0, "%d files are left in %s", count_in(rooms[i]), rooms[i]);
    expect(count_in("procs") < 20, "%d lifelines", count_in("procs"));
    report(0);
}

int main(int count, char **words)
{
    const char *how = count > 2 ? words[2] : "";
    int number = count > 3 ? atoi(words[3]) : 0;
    long begun = now_ms();

    if (count > 1 && strcmp(words[1], "list") == 0)
        return find("", 1), 0;
    scenario = count > 2 ? find(words[1], 0) : NULL;
    if (!scenario || !getenv("USIPC_DIR")) {
        fputs("usage: points list | NAME every|changes|sample N|second [N]|at I [J], under the preload\n", stderr);
        return 2;
    }
    set_up();
    learn(number ? 1 : 3);
    if (strcmp(how, "at") == 0) {
        count > 4 ? run_both(number, atoi(words[4])) : (void)run_to(number);
        return failures != 0;
    }
    if (strcmp(how, "way") == 0)
        show_way();
    else if (strcmp(how, "second") == 0)
        run_seconds(number);
    else if (strcmp(how, "every") == 0)
        run_all(1, 0, 1);
    else
        run_all(0, strcmp(how, "sample") == 0 ? (unsigned)number : (unsigned)changes(&way), (unsigned)changes(&way));
    check_left_over();
    printf("%s %s: %d instructions, %d changes, %d runs, %d astray, %d failures, %ld ms\n", scenario->name, how,
           way.length, changes(&way), runs, astray, failures, now_ms() - begun);
    return failures != 0;
}
