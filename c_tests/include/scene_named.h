/* POSIX semaphores and shared memory objects: names that nobody else has (glibc's, with which ours are
 * compared, are all in /dev/shm), and where their files are. */
#ifndef SCENE_NAMED_H
#define SCENE_NAMED_H

#include "scene.h"
#include <semaphore.h>

enum { NAME_BYTES = 64, PATH_BYTES = 4200, NAMES = 8 };

/* "/scene-PID" or "/scene-PID-2"; the text stays until eight more are asked for. */
SCENE_API const char *named(int number)
{
    static __thread char text[NAMES][NAME_BYTES];
    static __thread unsigned next;
    char *mine = text[next++ % NAMES];

    snprintf(mine, NAME_BYTES, number == 0 ? "/scene-%d" : "/scene-%d-%d", (int)stage->main_pid, number);
    return mine;
}

/* Where the object's file is: `room` is psem or pshm. */
SCENE_API const char *file_of(const char *room, const char *name)
{
    static __thread char path[PATH_BYTES];
    const char *directory = getenv("USIPC_DIR");

    if (directory != NULL)
        snprintf(path, sizeof path, "%s/%s%s", directory, room, name);
    else
        snprintf(path, sizeof path, "/dev/shm/%s%s", strcmp(room, "psem") == 0 ? "sem." : "", name + 1);
    return path;
}

SCENE_API mode_t mode_of(const char *room, const char *name)
{
    struct stat st;

    need(stat(file_of(room, name), &st) == 0, "stat");
    return st.st_mode & 07777;
}

/* "= ok" or "= SEM_FAILED ENOENT". */
SCENE_API const char *opened(const sem_t *sem)
{
    static __thread char text[48];

    if (sem != SEM_FAILED)
        return "= ok";
    snprintf(text, sizeof text, "= SEM_FAILED %s", errno_name(errno));
    return text;
}

SCENE_API sem_t *sem_new(const char *name, unsigned value)
{
    sem_t *sem = sem_open(name, O_CREAT | O_EXCL, 0600, value);

    need(sem != SEM_FAILED, "sem_open");
    return sem;
}

SCENE_API int sem_value(sem_t *sem)
{
    int value = -1;

    need(sem_getvalue(sem, &value) == 0, "sem_getvalue");
    return value;
}

/* A name of `length` bytes behind its slash. */
SCENE_API const char *long_name(int length)
{
    static __thread char text[8192];
    int start = snprintf(text, sizeof text, "/scene-%d-", (int)stage->main_pid);

    memset(text + start, 'x', (size_t)(length + 1 - start));
    text[length + 1] = '\0';
    return text;
}

/* What is put in the place of an object. */
SCENE_API void put_fifo(const char *path) { need(mkfifo(path, 0600) == 0, "mkfifo"); }
SCENE_API void put_directory(const char *path) { need(mkdir(path, 0700) == 0, "mkdir"); }
SCENE_API void put_link(const char *path) { need(symlink("/etc/passwd", path) == 0, "symlink"); }
SCENE_API void put_dangling(const char *path) { need(symlink("nowhere", path) == 0, "symlink"); }

static const struct spoilt {
    const char *what;
    void (*put)(const char *path);
} spoilt[] = {{"FIFO", put_fifo}, {"directory", put_directory}, {"link", put_link}, {"dangling link", put_dangling}};

/* A call that is made while the thread's cancellation is pending, and what came of it. Nothing is said
 * meanwhile: write(2) would act on the cancellation. */
struct noted {
    const char *call;
    char text[40];
};
static struct noted noted[16];
static int notes;

SCENE_API void note(const char *call, long value)
{
    noted[notes].call = call;
    strcpy(noted[notes++].text, result(value));
}
#define NOTE(call) note(#call, call)

SCENE_API void *with_cancellation_pending(void *body)
{
    int old;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    pthread_cancel(pthread_self());
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
    (*(void (**)(void))body)();
    pthread_testcancel();
    return NULL;
}

SCENE_API void run_cancelled(void (*body)(void))
{
    pthread_t thread;
    void *value;

    need(pthread_create(&thread, NULL, with_cancellation_pending, &body) == 0, "pthread_create");
    need(pthread_join(thread, &value) == 0, "pthread_join");
    for (int i = 0; i < notes; i++)
        say("%s %s", noted[i].call, noted[i].text);
    say(value == PTHREAD_CANCELED ? "cancelled afterwards" : "not cancelled");
}

#endif
