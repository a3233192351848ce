/*
 * UNP vol. 2, chapter 10: semaphores made of System V semaphores. A file, made with O_EXCL, decides who makes the set;
 * the others wait until its otime tells that it has its value.
 */
#include "mysem.h"
#include <sys/sem.h>
#include <time.h>

#define MAGIC 0x6d797365
#define GREATEST 32767
#define FTOK_ID 0
#define TRIES 1000

static int operate(int semid, short how, short flags)
{
    struct sembuf operation = {.sem_num = 0, .sem_op = how, .sem_flg = flags};

    return semop(semid, &operation, 1);
}

/* The value, and an operation that leaves it, to set otime. */
static int initialise(int semid, unsigned value)
{
    struct sembuf up_and_down[] = {{0, 1, 0}, {0, -1, 0}};
    int full = value == GREATEST;

    if (semctl(semid, 0, SETVAL, (int)value - full) == -1)
        return -1;
    return full ? operate(semid, 1, 0) : semop(semid, up_and_down, 2);
}

static int make_set(const char *path, mode_t mode, unsigned value)
{
    key_t key = ftok(path, FTOK_ID);
    int error, semid = key == -1 ? -1 : semget(key, 1, IPC_CREAT | IPC_EXCL | (int)mode);

    if (semid != -1 && initialise(semid, value) == 0)
        return semid;
    error = errno;
    if (semid != -1)
        semctl(semid, 0, IPC_RMID);
    unlink(path);
    errno = error;
    return -1;
}

/* The set of a file that is there. Its maker may not have come to it yet. */
static int find_set(const char *path)
{
    struct timespec nap = {.tv_nsec = 10000000};
    struct semid_ds set;
    int tries, semid;

    for (tries = 0; tries < TRIES; tries++) {
        key_t key = ftok(path, FTOK_ID);

        if (key == -1)
            return -1;
        semid = semget(key, 1, 0);
        if (semid == -1 && errno != ENOENT)
            return -1;
        if (semid != -1 && semctl(semid, 0, IPC_STAT, &set) == 0 && set.sem_otime != 0)
            return semid;
        nanosleep(&nap, NULL);
    }
    errno = ETIMEDOUT;
    return -1;
}

static int make_or_find(const char *path, int flags, mode_t mode, unsigned value)
{
    for (;;) {
        int semid, fd = open(path, O_CREAT | O_EXCL | O_RDWR, mode);

        if (fd != -1) {
            close(fd);
            return make_set(path, mode, value);
        }
        if (errno != EEXIST || (flags & O_EXCL))
            return -1;
        semid = find_set(path);
        /* Unless it was unlinked in between. */
        if (semid != -1 || errno != ENOENT)
            return semid;
    }
}

mysem_t *mysem_open(const char *path, int flags, ...)
{
    mysem_t *sem;
    int semid;

    if (flags & O_CREAT) {
        va_list words;
        mode_t mode;
        unsigned value;

        va_start(words, flags);
        mode = va_arg(words, mode_t);
        value = va_arg(words, unsigned);
        va_end(words);
        if (value > GREATEST) {
            errno = EINVAL;
            return SEM_FAILED;
        }
        semid = make_or_find(path, flags, mode, value);
    } else {
        semid = find_set(path);
    }
    sem = semid == -1 ? NULL : malloc(sizeof *sem);
    if (!sem)
        return SEM_FAILED;
    *sem = (mysem_t){.semid = semid, .magic = MAGIC};
    return sem;
}

/* Whether this is a semaphore that was opened; if not, errno says so. */
static int is_open(const mysem_t *sem)
{
    if (sem->magic == MAGIC)
        return 1;
    errno = EINVAL;
    return 0;
}

int mysem_close(mysem_t *sem)
{
    if (!is_open(sem))
        return -1;
    sem->magic = 0;
    free(sem);
    return 0;
}

int mysem_unlink(const char *path)
{
    key_t key = ftok(path, FTOK_ID);
    int semid;

    if (key == -1)
        return -1;
    /* The set is looked up while the file is there, without which there is no key. */
    semid = semget(key, 1, 0);
    if (unlink(path) == -1)
        return -1;
    return semid == -1 ? -1 : semctl(semid, 0, IPC_RMID);
}

int mysem_wait(mysem_t *sem) { return is_open(sem) ? operate(sem->semid, -1, 0) : -1; }

int mysem_trywait(mysem_t *sem) { return is_open(sem) ? operate(sem->semid, -1, IPC_NOWAIT) : -1; }

int mysem_post(mysem_t *sem) { return is_open(sem) ? operate(sem->semid, 1, 0) : -1; }

int mysem_getvalue(mysem_t *sem, int *value)
{
    int now = is_open(sem) ? semctl(sem->semid, 0, GETVAL) : -1;

    if (now == -1)
        return -1;
    *value = now;
    return 0;
}
