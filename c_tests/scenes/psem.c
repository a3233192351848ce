/* Named semaphores. Every scene has names of its own and removes them. */
#include "../include/scene_named.h"
#include <limits.h>
#include <sys/resource.h>

#define OPEN(name, ...) say("sem_open(" #name ", " #__VA_ARGS__ ") %s", opened(sem_open(name, __VA_ARGS__)))
#define CALL(call) say(#call " %s", result(call))

static void names(void)
{
    static const char *const bad[] = {"", "/", "//", "/a/b", "/a/", "a/b", "//a//b"};
    static const int lengths[] = {250, 251, 252, 255, 256, 259, 260, 300, 4095, 5000};

    for (size_t i = 0; i < LENGTH(bad); i++) {
        say("the name \"%s\"", bad[i]);
        OPEN(bad[i], O_CREAT, 0600, 1);
        OPEN(bad[i], 0);
        CALL(sem_unlink(bad[i]));
    }
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        const char *name = long_name(lengths[i]);
        say("a name of %d bytes", lengths[i]);
        OPEN(name, 0);
        OPEN(name, O_CREAT, 0600, 1);
        CALL(sem_unlink(name));
    }
    say("slashes in front");
    OPEN(named(0), O_CREAT | O_EXCL, 0600, 1);
    OPEN(named(0) + 1, O_CREAT | O_EXCL, 0600, 1);
    char many[NAME_BYTES + 8];
    snprintf(many, sizeof many, "///%s", named(0));
    OPEN(many, O_CREAT | O_EXCL, 0600, 1);
    CALL(sem_unlink(named(0) + 1));
    CALL(sem_unlink(many));
}

static void flags(void)
{
    const char *name = named(0);

    OPEN(name, 0);
    OPEN(name, O_EXCL);
    OPEN(name, O_RDWR);
    OPEN(name, O_CREAT, 0600, (unsigned)INT_MAX + 1);
    OPEN(name, O_CREAT | O_EXCL, 0600, UINT_MAX);
    OPEN(name, 0);
    OPEN(name, O_CREAT, 0640, INT_MAX);
    OPEN(name, O_CREAT, 0, (unsigned)INT_MAX + 1);
    OPEN(name, O_CREAT | O_EXCL, 0600, 1);
    OPEN(name, O_CREAT | O_EXCL, 0600, (unsigned)INT_MAX + 1);
    OPEN(name, O_EXCL);
    OPEN(name, O_RDONLY);
    OPEN(name, O_WRONLY | O_CLOEXEC);
    sem_t *sem = sem_open(name, O_CREAT | O_RDWR, 0777, 3);
    say("value %d, mode %o", sem_value(sem), mode_of("psem", name));
    CALL(sem_post(sem));
    CALL(sem_trywait(sem));
    say("value %d", sem_value(sem));
    CALL(sem_unlink(name));
    CALL(sem_unlink(name));
}

static void modes(void)
{
    static const struct { mode_t mask, mode; } tries[] = {
        {0, 0666}, {022, 0666}, {077, 0777}, {0777, 0666}, {0, 0}, {0, 0400}, {0, 07777}, {027, 01660},
    };

    for (size_t i = 0; i < LENGTH(tries); i++) {
        umask(tries[i].mask);
        sem_t *sem = sem_open(named(0), O_CREAT | O_EXCL, tries[i].mode, 1);
        say("umask %o, mode %o: %s, %o", tries[i].mask, tries[i].mode, opened(sem), mode_of("psem", named(0)));
        struct stat st;
        need(stat(file_of("psem", named(0)), &st) == 0, "stat");
        say("%ld bytes", (long)st.st_size);
        CALL(sem_close(sem));
        CALL(sem_unlink(named(0)));
    }
}

/* Volatile: the compiler knows which arguments are wrong. */
static sem_t *volatile nowhere;

static void same_address(void)
{
    const char *name = named(0);
    sem_t unnamed, *first = sem_new(name, 5), *other = sem_new(named(1), 9);
    sem_t *second = sem_open(name, 0), *third = sem_open(name, O_CREAT, 0600, 7);

    say("the same: %d %d; another: %d", first == second, first == third, first != other);
    CALL(sem_close(first));
    CALL(sem_close(second));
    say("value %d", sem_value(third));
    CALL(sem_wait(third));
    CALL(sem_close(third));
    CALL(sem_close(third));
    say("other %d", sem_value(other));
    need(sem_init(&unnamed, 0, 1) == 0, "sem_init");
    CALL(sem_close(&unnamed));
    CALL(sem_close(nowhere));
    CALL(sem_close((sem_t *)((char *)other + 1)));
    first = sem_open(name, 0);
    say("opened again: value %d", sem_value(first));
    CALL(sem_close(first));
    CALL(sem_close(other));
    CALL(sem_unlink(name));
    CALL(sem_unlink(named(1)));
}

/* More than one page of them, and closed in another order. */
static void many(void)
{
    enum { MANY = 300 };
    static sem_t *sem[MANY];
    char name[NAME_BYTES];
    int wrong = 0;

    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%s-%d", named(0), i);
        sem[i] = sem_new(name, (unsigned)i);
    }
    for (int i = 0; i < MANY; i++) {
        int k = i * 7 % MANY;
        snprintf(name, sizeof name, "%s-%d", named(0), k);
        wrong += sem_open(name, 0) != sem[k] || sem_value(sem[k]) != k;
        if (k % 3 == 0)
            wrong += sem_close(sem[k]) != 0 || sem_close(sem[k]) != 0 || sem_close(sem[k]) != -1;
        wrong += sem_unlink(name) != 0;
    }
    for (int i = 0; i < MANY; i++)
        if (i % 3 != 0)
            wrong += sem_value(sem[i]) != i || sem_close(sem[i]) != 0 || sem_close(sem[i]) != 0;
    say("wrong: %d", wrong);
}

static void unlinked(void)
{
    const char *name = named(0);
    sem_t *old = sem_new(name, 1);

    CALL(sem_unlink(name));
    OPEN(name, 0);
    CALL(sem_unlink(name));
    sem_t *new = sem_open(name, O_CREAT, 0600, 2);
    say("another: %d, values %d %d", old != new, sem_value(old), sem_value(new));
    CALL(sem_post(old));
    say("values %d %d", sem_value(old), sem_value(new));
    say("the same: %d", sem_open(name, 0) == new);
    CALL(sem_close(old));
    CALL(sem_close(old));
    CALL(sem_close(new));
    CALL(sem_close(new));
    CALL(sem_unlink(name));
}

static void child_of_two(void *arg)
{
    sem_t *sem = arg;

    say("the same: %d", sem_open(named(0), 0) == sem);
    CALL(sem_post(sem));
    CALL(sem_close(sem));
    CALL(sem_close(sem));
    CALL(sem_close(sem));
    CALL(sem_close(sem));
}

static void forked(void)
{
    sem_t *sem = sem_new(named(0), 0);

    need(sem_open(named(0), 0) == sem, "sem_open");
    finish(spawn("child", child_of_two, sem));
    say("value %d", sem_value(sem));
    CALL(sem_trywait(sem));
    CALL(sem_trywait(sem));
    CALL(sem_close(sem));
    CALL(sem_close(sem));
    CALL(sem_close(sem));
    CALL(sem_unlink(named(0)));
}

static void waiter(void *arg)
{
    (void)arg;
    sem_t *sem = sem_open(named(0), 0);

    say("opened %s", opened(sem));
    arrive();
    CALL(sem_wait(sem));
    arrive();
    CALL(sem_wait(sem));
    CALL(sem_trywait(sem));
    CALL(sem_close(sem));
}

static void post_and_wait(void)
{
    sem_t *sem = sem_new(named(0), 0);
    struct actor *a = spawn("waiter", waiter, NULL);

    wait_blocked(a);
    CALL(sem_post(sem));
    wait_blocked(a);
    CALL(sem_unlink(named(0)));
    CALL(sem_post(sem));
    finish(a);
    say("value %d", sem_value(sem));
    struct timespec past = {.tv_sec = 1};
    CALL(sem_timedwait(sem, &past));
    CALL(sem_close(sem));
}

static void overflow(void)
{
    sem_t *sem = sem_new(named(0), INT_MAX);

    CALL(sem_post(sem));
    CALL(sem_wait(sem));
    CALL(sem_post(sem));
    CALL(sem_unlink(named(0)));
}

static void opener(void *arg)
{
    int wrong = 0;

    for (int i = 0; i < 500; i++) {
        sem_t *sem = sem_open(named(0), O_CREAT, 0600, 77);
        wrong += sem != arg || sem_post(sem) != 0 || sem_close(sem) != 0;
    }
    say("wrong: %d", wrong);
}

static void threads(void)
{
    struct actor *a[6];
    sem_t *sem = sem_new(named(0), 0);

    for (size_t i = 0; i < LENGTH(a); i++)
        a[i] = spawn_thread("thread", opener, sem);
    for (size_t i = 0; i < LENGTH(a); i++)
        finish(a[i]);
    say("value %d", sem_value(sem));
    CALL(sem_close(sem));
    CALL(sem_close(sem));
    CALL(sem_unlink(named(0)));
}

/* Nobody keeps it open: mapped and unmapped all the time, by all of them. */
static void passing_opener(void *arg)
{
    int wrong = 0;

    (void)arg;
    for (int i = 0; i < 500; i++) {
        sem_t *sem = sem_open(named(0), 0);
        wrong += sem == SEM_FAILED || sem_post(sem) != 0 || sem_close(sem) != 0;
    }
    say("wrong: %d", wrong);
}

static void passing_threads(void)
{
    struct actor *a[6];

    need(sem_close(sem_new(named(0), 0)) == 0, "sem_close");
    for (size_t i = 0; i < LENGTH(a); i++)
        /* The children first: glibc's lock may be inherited held. */
        a[i] = i < 3 ? spawn("child", passing_opener, NULL) : spawn_thread("thread", passing_opener, NULL);
    for (size_t i = 0; i < LENGTH(a); i++)
        finish(a[i]);
    sem_t *sem = sem_open(named(0), 0);
    say("value %d", sem_value(sem));
    CALL(sem_close(sem));
    CALL(sem_close(sem));
    CALL(sem_unlink(named(0)));
}

/* One of many makes it, all meet in it. */
static void maker(void *arg)
{
    (void)arg;
    await(0, 1);
    sem_t *sem = sem_open(named(0), O_CREAT | O_EXCL, 0600, 100);
    if (sem != SEM_FAILED)
        bump(1);
    else if (errno != EEXIST)
        say("made %s", opened(sem));
    sem = sem_open(named(0), O_CREAT, 0600, 200);
    say("%s, post %s", opened(sem), result(sem_post(sem)));
}

static void makers(void)
{
    struct actor *a[8];

    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < LENGTH(a); i++)
            a[i] = spawn("maker", maker, NULL);
        bump(0);
        for (size_t i = 0; i < LENGTH(a); i++)
            finish(a[i]);
        sem_t *sem = sem_open(named(0), 0);
        say("made by %d, value %d", count(1), sem_value(sem));
        need(sem_close(sem) == 0 && sem_unlink(named(0)) == 0, "remove");
        stage->counter[0] = stage->counter[1] = 0;
    }
}

static void executes(void *arg)
{
    CALL(sem_post(arg));
    execlp("sh", "sh", "-c", "exit 7", (char *)NULL);
}

static void exec(void)
{
    sem_t *sem = sem_new(named(0), 3);

    finish(spawn("child", executes, sem));
    say("value %d", sem_value(sem));
    CALL(sem_close(sem));
    CALL(sem_unlink(named(0)));
}

static void stranger(void *arg)
{
    (void)arg;
    become(1001);
    for (int i = 0; i < 6; i++) {
        OPEN(named(i), 0);
        OPEN(named(i), O_CREAT, 0666, 1);
        OPEN(named(i), O_CREAT | O_EXCL, 0666, 1);
    }
    CALL(sem_unlink(named(0)));
    CALL(sem_unlink(named(1)));
    CALL(sem_unlink(named(5)));
    OPEN(named(6), O_CREAT | O_EXCL, 0, 1);
    OPEN(named(6), 0);
    CALL(sem_unlink(named(6)));
}

static void other_uid(void)
{
    static const mode_t modes[] = {0600, 0666, 0604, 0602, 0660, 0};

    if (!can_switch_uid())
        return;
    umask(0);
    for (int i = 0; i < 6; i++)
        need(sem_open(named(i), O_CREAT | O_EXCL, modes[i], 1) != SEM_FAILED, "sem_open");
    finish(spawn("stranger", stranger, NULL));
    for (int i = 0; i < 6; i++)
        CALL(sem_unlink(named(i)));
}

static long opens(const char *name, int oflag)
{
    return sem_open(name, oflag, 0600, 1) == SEM_FAILED ? -1 : 0;
}

static void cancelled_body(void)
{
    NOTE(opens(named(0), O_CREAT));
    NOTE(opens(named(0), 0));
    NOTE(opens(named(1), 0));
    NOTE(sem_close(sem_open(named(0), 0)));
    NOTE(sem_unlink(named(0)));
    NOTE(sem_unlink(named(0)));
}

static void cancelled(void) { run_cancelled(cancelled_body); }

static void not_a_semaphore(void)
{
    for (size_t i = 0; i < LENGTH(spoilt); i++) {
        say("a %s", spoilt[i].what);
        spoilt[i].put(file_of("psem", named(0)));
        OPEN(named(0), 0);
        OPEN(named(0), O_CREAT, 0600, 1);
        OPEN(named(0), O_CREAT | O_EXCL, 0600, 1);
        CALL(sem_unlink(named(0)));
        remove(file_of("psem", named(0)));
    }
}

static void no_descriptors(void)
{
    struct rlimit limit;
    sem_t *sem = sem_new(named(0), 1);

    need(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    limit.rlim_cur = 0;
    need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    OPEN(named(0), 0);
    OPEN(named(1), O_CREAT, 0600, 1);
    CALL(sem_close(sem));
    CALL(sem_unlink(named(0)));
}

SCENES(SCENE(names), SCENE(flags), SCENE(modes), SCENE(same_address), SCENE(many), SCENE(unlinked), SCENE(forked),
       SCENE(post_and_wait), SCENE(overflow), SCENE(threads), SCENE(passing_threads), SCENE(makers), SCENE(exec),
       SCENE(other_uid), SCENE(cancelled), SCENE(not_a_semaphore), SCENE(no_descriptors))
