/* POSIX semaphores and shared memory objects. */
#include "points.h"
#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>

#define NAME "/crash-points"
enum { VALUE = 3 };

static int sems, shms;
static sem_t *opened;

static void note_names(void)
{
    sems = count_in("psem");
    shms = count_in("pshm");
}

static void make_sem(void)
{
    sem_t *sem;

    note_names();
    sem = sem_open(NAME, O_CREAT | O_EXCL, 0600, VALUE);
    need(sem != SEM_FAILED, "sem_open");
    sem_close(sem);
}

static void call_open(void) { opened = sem_open(NAME, O_CREAT, 0600, VALUE); }
static void call_close(void) { sem_close(opened); }
static void call_unlink(void) { sem_unlink(NAME); }

/* That it has its value, and works. */
static void expect_sem(sem_t *sem)
{
    int value = -1;

    expect(sem != SEM_FAILED, "sem_open: %s", strerror(errno));
    if (sem == SEM_FAILED)
        return;
    expect(sem_getvalue(sem, &value) == 0 && value == VALUE, "its value is %d", value);
    expect(sem_wait(sem) == 0 && sem_post(sem) == 0, "sem_wait: %s", strerror(errno));
    sem_close(sem);
}

static int check_open(int ended)
{
    sem_t *sem = sem_open(NAME, 0);
    int outcome = sem != SEM_FAILED;

    expect(outcome || errno == ENOENT, "sem_open: %s", strerror(errno));
    expect(!ended || outcome, "the call has returned, and there is no semaphore");
    expect_sem(outcome ? sem : sem_open(NAME, O_CREAT | O_EXCL, 0600, VALUE));
    return outcome;
}

static int check_there(int ended) { return check_open(ended) - 1; }

static int check_unlinked(int ended)
{
    sem_t *sem = sem_open(NAME, O_CREAT | O_EXCL, 0600, VALUE);
    int outcome = sem != SEM_FAILED;

    expect(outcome || errno == EEXIST, "sem_open: %s", strerror(errno));
    expect(!ended || outcome, "the call has returned, and the name is there");
    expect_sem(outcome ? sem : sem_open(NAME, 0));
    return outcome;
}

static void clear_sem(void)
{
    expect(sem_unlink(NAME) == 0, "sem_unlink: %s", strerror(errno));
    expect(sem_open(NAME, 0) == SEM_FAILED && errno == ENOENT, "the name leads somewhere after sem_unlink");
    expect(count_in("psem") == sems, "%d semaphores are left", count_in("psem") - sems);
}

static void make_shm(void)
{
    note_names();
    close(shm_open(NAME, O_CREAT | O_EXCL | O_RDWR, 0600));
}

static void call_shm_open(void) { shm_open(NAME, O_CREAT | O_EXCL | O_RDWR, 0600); }
static void call_shm_unlink(void) { shm_unlink(NAME); }

static int check_shm(int ended)
{
    int fd = shm_open(NAME, O_RDWR, 0), outcome = fd != -1;

    expect(outcome || errno == ENOENT, "shm_open: %s", strerror(errno));
    if (scenario->prepare == make_shm)
        outcome = !outcome;
    expect(!ended || outcome, "the call has returned, and has not been done");
    if (fd == -1)
        fd = shm_open(NAME, O_CREAT | O_EXCL | O_RDWR, 0600);
    expect(fd != -1 && ftruncate(fd, 100) == 0, "shm_open: %s", strerror(errno));
    close(fd);
    return outcome;
}

static void clear_shm(void)
{
    expect(shm_unlink(NAME) == 0, "shm_unlink: %s", strerror(errno));
    expect(shm_open(NAME, O_RDWR, 0) == -1 && errno == ENOENT, "the name leads somewhere after shm_unlink");
    expect(count_in("pshm") == shms, "%d objects are left", count_in("pshm") - shms);
}

const struct scenario named_scenarios[] = {
    {.name = "sem_open-create", .prepare = note_names, .call = call_open, .check = check_open, .clear = clear_sem},
    {.name = "sem_open-cold", .prepare = note_names, .call = call_open, .check = check_open, .clear = clear_sem},
    {.name = "sem_open-find", .prepare = make_sem, .call = call_open, .check = check_there, .clear = clear_sem},
    {.name = "sem_close", .prepare = make_sem, .warm = call_open, .call = call_close, .check = check_there, .clear = clear_sem},
    {.name = "sem_unlink", .prepare = make_sem, .call = call_unlink, .check = check_unlinked, .clear = clear_sem},
    {.name = "shm_open", .prepare = note_names, .call = call_shm_open, .check = check_shm, .clear = clear_shm},
    {.name = "shm_unlink", .prepare = make_shm, .call = call_shm_unlink, .check = check_shm, .clear = clear_shm},
    {0},
};
