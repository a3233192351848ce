/* The others in a scenario: processes that sleep, rivals, helpers; texts, and names in the namespace. */
#include "points.h"
#include <dirent.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>

static struct sleeper {
    pid_t pid;
    struct note *note;
} sleepers[SLEEPERS];

void make_sleepers(void)
{
    char *notes = mmap(NULL, SLEEPERS * sizeof(struct note), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int i;

    need(notes != MAP_FAILED, "mmap");
    for (i = 0; i < SLEEPERS; i++)
        sleepers[i].note = (struct note *)(notes + (size_t)i * sizeof(struct note));
}

void fill_text(char *text, size_t length, unsigned number)
{
    size_t i;

    for (i = 0; i < length; i++)
        text[i] = (char)('A' + (number * 7 + i) % 26);
}

int is_text(const char *text, size_t length, unsigned number)
{
    char wanted[LONGEST];

    fill_text(wanted, length, number);
    return memcmp(text, wanted, length) == 0;
}

void in_child(void (*act)(void))
{
    int status;
    pid_t pid = fork();

    need(pid != -1, "fork");
    if (pid == 0) {
        act();
        _exit(0);
    }
    need(waitpid(pid, &status, 0) == pid && status == 0, "a helper ended with status %#x", status);
}

void start_sleeper(int i, void (*act)(struct note *note))
{
    long until = now_ms() + WAIT_MS;
    struct sleeper *s = &sleepers[i];

    memset(s->note, 0, offsetof(struct note, text));
    s->pid = fork();
    need(s->pid != -1, "fork");
    if (s->pid == 0) {
        act(s->note);
        __atomic_store_n(&s->note->done, 1, __ATOMIC_RELEASE);
        _exit(0);
    }
    while (!is_asleep(s->pid)) {
        need(!is_done(i) && now_ms() < until, "sleeper %d does not fall asleep: %d %ld %s", i, is_done(i),
             s->note->result, strerror(s->note->error));
        sched_yield();
    }
}

int is_done(int i) { return __atomic_load_n(&sleepers[i].note->done, __ATOMIC_ACQUIRE); }

static int wait_done(int i, long ms)
{
    long until = now_ms() + ms;

    while (!is_done(i) && now_ms() < until)
        usleep(100);
    return is_done(i);
}

const struct note *await_sleeper(int i)
{
    if (wait_done(i, WAIT_MS))
        return sleepers[i].note;
    complain(__FILE__, __LINE__, "sleeper %d goes on waiting", i);
    return NULL;
}

void let_be(int i)
{
    if (scenario->quiet)
        wait_done(i, 1300);
}

void end_sleeper(int i)
{
    if (sleepers[i].pid)
        kill_and_reap(sleepers[i].pid);
    sleepers[i].pid = 0;
}

void start_rival(void (*first)(void))
{
    struct sleeper *s = &sleepers[SLEEPERS - 1];

    memset(s->note, 0, offsetof(struct note, text));
    rivalled = 1;
    s->pid = fork();
    need(s->pid != -1, "fork");
    if (s->pid == 0) {
        first();
        scenario->rival();
        __atomic_store_n(&s->note->done, 1, __ATOMIC_RELEASE);
        pause();
    }
    while (!is_done(SLEEPERS - 1) && !is_asleep(s->pid))
        sched_yield();
}

void end_of_rival(void) { end_sleeper(SLEEPERS - 1); }

void end_sleepers(void)
{
    int i;

    for (i = 0; i < SLEEPERS; i++)
        end_sleeper(i);
}

int count_in(const char *room)
{
    char path[4096];
    struct dirent *entry;
    int n = 0;
    DIR *dir;

    snprintf(path, sizeof path, "%s/%s", getenv("USIPC_DIR"), room);
    dir = opendir(path);
    need(dir != NULL, "%s", path);
    while ((entry = readdir(dir)))
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}
