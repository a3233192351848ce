/*
 * execs MODE: the calls that run another program pass it what they are given, and return as libc's do
 * when they cannot: arguments (in registers and on the stack), environment, PATH, errno.
 */
#include "ground.h"
#include <limits.h>

enum { WORDS = 20 };

/* Through pointers, which have no attributes: the compiler would refuse a list without arguments. */
typedef int list_call(const char *, const char *, ...);
typedef int vector_call(const char *, char *const[]);
typedef int environment_call(const char *, char *const[], char *const[]);

static list_call *volatile const call_l = execl, *volatile const call_lp = execlp, *volatile const call_le = execle;
static vector_call *volatile const call_v = execv, *volatile const call_vp = execvp;
static environment_call *volatile const call_ve = execve, *volatile const call_vpe = execvpe;

static char *const none = NULL;
static char word[WORDS][8];
static char *given[] = {"EXECS_SHOW=1", "EXECS_MARK=given", NULL};

static int by_list(list_call *call, const char *path, int count, char **environment)
{
    char **w = (char *[]){word[0],  word[1],  word[2],  word[3],  word[4],  word[5],  word[6],
                          word[7],  word[8],  word[9],  word[10], word[11], word[12], word[13],
                          word[14], word[15], word[16], word[17], word[18], word[19]};

    switch (count) {
    case 0: return call(path, none, environment);
    case 1: return call(path, w[0], none, environment);
    case 4: return call(path, w[0], w[1], w[2], w[3], none, environment);
    case 5: return call(path, w[0], w[1], w[2], w[3], w[4], none, environment);
    case 6: return call(path, w[0], w[1], w[2], w[3], w[4], w[5], none, environment);
    case 7: return call(path, w[0], w[1], w[2], w[3], w[4], w[5], w[6], none, environment);
    case 8: return call(path, w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], none, environment);
    default:
        return call(path, w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12],
                    w[13], w[14], w[15], w[16], w[17], w[18], w[19], none, environment);
    }
}

static const char *const functions[] = {"execl", "execlp", "execle",  "execv",   "execvp",
                                        "execve", "execvpe", "fexecve", "execveat"};

static int by_name(const char *function, const char *path, int count)
{
    char *argv[WORDS + 1];
    int i, fd, result;

    for (i = 0; i < count; i++)
        argv[i] = word[i];
    argv[count] = NULL;
    if (!strcmp(function, "execl"))
        return by_list(call_l, path, count, NULL);
    if (!strcmp(function, "execlp"))
        return by_list(call_lp, path, count, NULL);
    if (!strcmp(function, "execle"))
        return by_list(call_le, path, count, given);
    if (!strcmp(function, "execv"))
        return call_v(path, argv);
    if (!strcmp(function, "execvp"))
        return call_vp(path, argv);
    if (!strcmp(function, "execve"))
        return call_ve(path, argv, given);
    if (!strcmp(function, "execvpe"))
        return call_vpe(path, argv, given);
    if (!strcmp(function, "execveat"))
        return execveat(AT_FDCWD, path, argv, given, 0);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return -1;
    result = fexecve(fd, argv, given);
    close(fd);
    return result;
}

/* The program that is run: what it was given. */
static int show(int argc, char **argv)
{
    char line[400];
    int i, length = snprintf(line, sizeof line, "  %d:", argc);

    for (i = 0; i < argc; i++)
        length += snprintf(line + length, sizeof line - (size_t)length, " %s", argv[i]);
    say("%s, environment %s", line, getenv("EXECS_MARK"));
    return argv[argc] == NULL ? 0 : 1;
}

static int open_descriptors(void)
{
    int fd, open = 0;

    for (fd = 0; fd < 1024; fd++)
        open += fcntl(fd, F_GETFD) != -1;
    return open;
}

struct attempt {
    const char *function, *path;
    int count;
};

static int try(void *argument)
{
    const struct attempt *attempt = argument;
    int open = open_descriptors();

    errno = 0;
    NEED(by_name(attempt->function, attempt->path, attempt->count) == -1, "the return value");
    say("  %s", errno_name(errno));
    NEED(open == open_descriptors(), "descriptors are left");
    return 0;
}

static void attempt(const char *function, const char *path, int count)
{
    struct attempt attempt = {function, path, count};

    say("%s %s %d", function, path, count);
    reap_well(start(try, &attempt), function);
}

static int mode_arguments(void)
{
    static const int counts[] = {0, 1, 4, 5, 6, 7, 8, WORDS};
    size_t f, c;

    for (f = 0; f < LENGTH(functions); f++)
        /* Without any argument glibc's execle takes the environment for the list's second. */
        for (c = !strcmp(functions[f], "execle"); c < LENGTH(counts); c++)
            attempt(functions[f], "/proc/self/exe", counts[c]);
    return 0;
}

static int mode_errors(void)
{
    static const char *const paths[] = {"/nonexistent", "/dev/null", "/", "/dev/null/below", ""};
    size_t f, p;
    int i;

    for (f = 0; f < LENGTH(functions); f++)
        for (p = 0; p < LENGTH(paths); p++)
            attempt(functions[f], paths[p], 3 + (int)p);
    /* Calls that return leave the stack as it was. */
    for (f = 0; f < LENGTH(functions); f++)
        for (i = 0; i < 100; i++)
            NEED(by_name(functions[f], "/nonexistent", i % 2 ? 7 : WORDS) == -1 && errno == ENOENT, "%d", i);
    return 0;
}

static void file(const char *path, mode_t mode, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);

    NEED(fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0, "%s", path);
}

static const char *const searching[] = {"execlp", "execvp", "execvpe"};

static void search(const char *path, const char *name)
{
    size_t f;

    say("PATH %s", path ? path : "is not set");
    NEED((path ? setenv("PATH", path, 1) : unsetenv("PATH")) == 0, "PATH");
    for (f = 0; f < LENGTH(searching); f++)
        attempt(searching[f], name, 2);
}

/* In an empty directory of the test's own: a/prog may not be run, b/prog is this program. */
static int mode_path(void)
{
    char self[PATH_MAX] = "", much[2 * PATH_MAX];
    char *dir = getenv("EXECS_DIR");

    NEED(dir && readlink("/proc/self/exe", self, sizeof self - 1) > 0, "/proc/self/exe");
    NEED(chdir(dir) == 0 && mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0, "%s", dir);
    file("a/prog", 0644, "no program");
    NEED(symlink(self, "b/prog") == 0, "b/prog");
    search("a:b", "prog");
    search("b:a", "prog");
    search("a", "prog");
    search("a:missing", "prog");
    search("missing:/dev/null", "prog");
    search("a", "b/prog");
    search("b", "");
    search("", "prog");
    search(NULL, "prog");
    memset(much, 'x', sizeof much);
    memcpy(much + sizeof much - 3, ":b", 3);
    NEED(setenv("PATH", much, 1) == 0, "PATH");
    attempt("execvp", "prog", 2);
    NEED(chdir("b") == 0, "b");
    search("", "prog");
    search("missing::", "prog");
    return 0;
}

/* Without a line that names an interpreter: execlp, execvp and execvpe hand it to the shell. */
static int mode_script(void)
{
    char *dir = getenv("EXECS_DIR");

    NEED(dir && chdir(dir) == 0, "EXECS_DIR");
    file("script", 0755, "echo \"  script: $# $EXECS_MARK\"\n");
    search(".", "script");
    attempt("execlp", "./script", WORDS);
    attempt("execv", "./script", 2);
    attempt("execl", "./script", 2);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {
        {"arguments", mode_arguments},
        {"errors", mode_errors},
        {"path", mode_path},
        {"script", mode_script},
    };
    int i;

    if (getenv("EXECS_SHOW"))
        return show(argc, argv);
    setenv("EXECS_SHOW", "1", 1);
    setenv("EXECS_MARK", "inherited", 1);
    for (i = 0; i < WORDS; i++)
        snprintf(word[i], sizeof word[i], "w%d", i);
    return run_mode(modes, LENGTH(modes), argc > 1 ? argv[1] : NULL);
}
