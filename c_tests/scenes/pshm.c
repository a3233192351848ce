/* Shared memory objects. Every scene has names of its own and removes them. */
#include "../include/scene_named.h"
#include <sys/resource.h>

#define CALL(call) say(#call " %s", result(call))
/* The descriptor stays open; which one it is, is not said. */
#define OPEN(name, ...) say("shm_open(" #name ", " #__VA_ARGS__ ") %s", result(ok(shm_open(name, __VA_ARGS__))))

static int ok(int fd) { return fd == -1 ? -1 : 0; }

static int shm_new(const char *name, mode_t mode)
{
    int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, mode);

    need(fd != -1, "shm_open");
    return fd;
}

static void names(void)
{
    static const char *const bad[] = {"", "/", "//", "/a/b", "/a/", "a/b", "//a//b"};
    static const int lengths[] = {254, 255, 256, 259, 260, 300, 4095, 5000};

    for (size_t i = 0; i < LENGTH(bad); i++) {
        say("the name \"%s\"", bad[i]);
        OPEN(bad[i], O_CREAT | O_RDWR, 0600);
        OPEN(bad[i], O_RDONLY, 0);
        CALL(shm_unlink(bad[i]));
    }
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        const char *name = long_name(lengths[i]);
        say("a name of %d bytes", lengths[i]);
        OPEN(name, O_RDONLY, 0);
        OPEN(name, O_CREAT | O_RDWR, 0600);
        CALL(shm_unlink(name));
    }
    say("directories");
    OPEN("/.", O_CREAT | O_RDWR, 0600);
    OPEN("/..", O_RDWR, 0600);
    CALL(shm_unlink("/."));
    CALL(shm_unlink(".."));
    say("slashes in front");
    OPEN(named(0), O_CREAT | O_EXCL | O_RDWR, 0600);
    OPEN(named(0) + 1, O_CREAT | O_EXCL | O_RDWR, 0600);
    char many[NAME_BYTES + 8];
    snprintf(many, sizeof many, "///%s", named(0));
    OPEN(many, O_CREAT | O_EXCL | O_RDWR, 0600);
    CALL(shm_unlink(named(0) + 1));
    CALL(shm_unlink(many));
}

static void flags(void)
{
    const char *name = named(0);
    struct stat st;

    OPEN(name, O_RDWR, 0600);
    OPEN(name, O_CREAT | O_RDONLY, 0600);
    OPEN(name, O_CREAT | O_RDWR, 0777);
    OPEN(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    OPEN(name, O_EXCL | O_RDWR, 0600);
    OPEN(name, O_WRONLY, 0);
    OPEN(name, O_RDWR | O_DIRECTORY, 0);
    OPEN(name, O_PATH, 0);
    int fd = shm_open(name, O_RDWR, 0);
    CALL(ftruncate(fd, 12345));
    CALL(fstat(fd, &st));
    say("%ld bytes, mode %o", (long)st.st_size, st.st_mode);
    OPEN(name, O_RDONLY | O_TRUNC, 0);
    fstat(fd, &st);
    say("%ld bytes", (long)st.st_size);
    OPEN(name, O_RDWR | O_TRUNC, 0);
    say("descriptor flags %d, status flags %o", fcntl(fd, F_GETFD), fcntl(fd, F_GETFL));
    fd = shm_open(name, O_RDONLY | O_NONBLOCK | O_APPEND, 0);
    say("descriptor flags %d, status flags %o", fcntl(fd, F_GETFD), fcntl(fd, F_GETFL));
    CALL(shm_unlink(name));
    CALL(shm_unlink(name));
}

static void modes(void)
{
    static const struct { mode_t mask, mode; } tries[] = {
        {0, 0666}, {022, 0666}, {077, 0777}, {0777, 0666}, {0, 0}, {0, 0400}, {0, 07777}, {027, 01660},
    };

    for (size_t i = 0; i < LENGTH(tries); i++) {
        umask(tries[i].mask);
        int fd = shm_open(named(0), O_CREAT | O_EXCL | O_RDWR, tries[i].mode);
        say("umask %o, mode %o: %s, %o", tries[i].mask, tries[i].mode, result(ok(fd)), mode_of("pshm", named(0)));
        CALL(ftruncate(fd, 1));
        close(fd);
        CALL(shm_unlink(named(0)));
    }
}

/* The lowest number that is free, as open gives it. */
static void lowest(void)
{
    int first = shm_new(named(0), 0600), second = shm_open(named(0), O_RDONLY, 0), third;

    say("one more: %d", second - first);
    close(first);
    third = shm_open(named(0), O_RDONLY, 0);
    say("again: %d", third == first);
    CALL(shm_unlink(named(0)));
}

static void writer(void *arg)
{
    int fd = shm_open(named(0), O_RDWR, 0);
    char *there = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    need(there != MAP_FAILED, "mmap");
    say("reads \"%s\" and \"%s\"", there, (char *)arg);
    strcpy(there, "from the child");
}

static void shared(void)
{
    int fd = shm_new(named(0), 0600), again;
    char *here, *second;

    CALL(ftruncate(fd, 4096));
    here = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    need(here != MAP_FAILED, "mmap");
    CALL(close(fd));
    strcpy(here, "from the stage");
    finish(spawn("writer", writer, here));
    say("the stage reads \"%s\"", here);
    again = shm_open(named(0), O_RDONLY, 0);
    second = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0);
    say("writable by a descriptor to read: %s", second == MAP_FAILED ? errno_name(errno) : "yes");
    CALL(ftruncate(again, 1));
    second = mmap(NULL, 4096, PROT_READ, MAP_SHARED, again, 0);
    say("mapped twice: \"%s\"", second);
    CALL(shm_unlink(named(0)));
    OPEN(named(0), O_RDONLY, 0);
    strcpy(here, "still there");
    say("unlinked: \"%s\"", second);
    fd = shm_new(named(0), 0600);
    struct stat old, new;
    fstat(again, &old);
    fstat(fd, &new);
    say("another file: %d, %ld bytes", old.st_ino != new.st_ino, (long)new.st_size);
    CALL(shm_unlink(named(0)));
}

static void duplicated(void)
{
    int fd = shm_new(named(0), 0600), copy = dup(fd), high = fcntl(fd, F_DUPFD, 50);
    struct stat st;

    CALL(ftruncate(copy, 99));
    CALL(fstat(fd, &st));
    say("%ld bytes", (long)st.st_size);
    CALL(close(fd));
    CALL(fstat(fd, &st));
    CALL(fstat(copy, &st));
    say("status flags %o, %o", fcntl(copy, F_GETFL), fcntl(high, F_GETFL));
    CALL(fcntl(copy, F_SETFL, O_NONBLOCK));
    say("status flags %o, %o", fcntl(copy, F_GETFL), fcntl(high, F_GETFL));
    CALL(dup2(high, copy) == copy);
    CALL(close(copy));
    CALL(close(high));
    CALL(close(high));
    CALL(shm_unlink(named(0)));
}

static void executes(void *arg)
{
    char number[16];

    snprintf(number, sizeof number, "%d", *(int *)arg);
    execlp("sh", "sh", "-c", "[ ! -e /proc/self/fd/$1 ]", "sh", number, (char *)NULL);
}

static void exec(void)
{
    int fd = shm_new(named(0), 0600);

    fd = fcntl(fd, F_DUPFD_CLOEXEC, 40);
    finish(spawn("closed on exec", executes, &fd));
    fcntl(fd, F_SETFD, 0);
    finish(spawn("kept over exec", executes, &fd));
    CALL(shm_unlink(named(0)));
}

static void stranger(void *arg)
{
    (void)arg;
    become(1001);
    for (int i = 0; i < 6; i++) {
        OPEN(named(i), O_RDONLY, 0);
        OPEN(named(i), O_RDWR, 0);
        OPEN(named(i), O_CREAT | O_RDONLY, 0666);
        OPEN(named(i), O_CREAT | O_EXCL | O_RDWR, 0666);
    }
    CALL(shm_unlink(named(0)));
    CALL(shm_unlink(named(1)));
    OPEN(named(6), O_CREAT | O_EXCL | O_RDWR, 0);
    OPEN(named(6), O_RDONLY, 0);
    CALL(shm_unlink(named(6)));
}

static void other_uid(void)
{
    static const mode_t modes[] = {0600, 0666, 0604, 0602, 0660, 0};

    if (!can_switch_uid())
        return;
    umask(0);
    for (int i = 0; i < 6; i++)
        close(shm_new(named(i), modes[i]));
    finish(spawn("stranger", stranger, NULL));
    for (int i = 0; i < 6; i++)
        CALL(shm_unlink(named(i)));
}

static void cancelled_body(void)
{
    NOTE(ok(shm_open(named(0), O_CREAT | O_RDWR, 0600)));
    NOTE(ok(shm_open(named(0), O_RDONLY, 0)));
    NOTE(ok(shm_open(named(1), O_RDONLY, 0)));
    NOTE(shm_unlink(named(0)));
    NOTE(shm_unlink(named(0)));
}

static void cancelled(void) { run_cancelled(cancelled_body); }

static void not_memory(void)
{
    for (size_t i = 0; i < LENGTH(spoilt); i++) {
        say("a %s", spoilt[i].what);
        spoilt[i].put(file_of("pshm", named(0)));
        OPEN(named(0), O_RDWR, 0);
        OPEN(named(0), O_CREAT | O_RDWR, 0600);
        OPEN(named(0), O_CREAT | O_EXCL | O_RDWR, 0600);
        CALL(shm_unlink(named(0)));
        remove(file_of("pshm", named(0)));
    }
}

static void no_descriptors(void)
{
    struct rlimit limit;

    close(shm_new(named(0), 0600));
    need(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    limit.rlim_cur = 0;
    need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    OPEN(named(0), O_RDONLY, 0);
    OPEN(named(1), O_CREAT | O_RDWR, 0600);
    CALL(shm_unlink(named(0)));
}

SCENES(SCENE(names), SCENE(flags), SCENE(modes), SCENE(lowest), SCENE(shared), SCENE(duplicated), SCENE(exec),
       SCENE(other_uid), SCENE(cancelled), SCENE(not_memory), SCENE(no_descriptors))
