/*
 * use_sem NSEMS USE: makes a set and uses it; run.sh measures its file. Prints how much of it is resident
 * in this process, in bytes (0 on the kernel).
 *     USE  idle     nothing more
 *          used     every semaphore raised and lowered again by semop
 *          setall   SETALL and GETALL
 *          undo     every semaphore raised and lowered again with SEM_UNDO, as many at once as may be
 *          held     the same, and it is still to be undone
 *          slept    eight processes at once have slept, one operation each
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLEEPERS = 8, OPERATIONS = 500, MOST = 32000 };

static int set, nsems;

static void check(int condition, const char *what)
{
    if (condition)
        return;
    perror(what);
    exit(1);
}

static void use_one_by_one(void)
{
    for (int i = 0; i < nsems; i++)
        for (int change = 1; change >= -1; change -= 2) {
            struct sembuf op = {(unsigned short)i, (short)change, 0};
            check(semop(set, &op, 1) == 0, "semop");
        }
}

static void use_arrays(int change)
{
    static struct sembuf ops[OPERATIONS];

    for (int first = 0; first < nsems; first += OPERATIONS) {
        int count = nsems - first < OPERATIONS ? nsems - first : OPERATIONS;
        for (int i = 0; i < count; i++)
            ops[i] = (struct sembuf){(unsigned short)(first + i), (short)change, SEM_UNDO};
        check(semop(set, ops, (size_t)count) == 0, "semop");
    }
}

static void use_all(void)
{
    static unsigned short values[MOST];

    memset(values, 1, sizeof values);
    check(semctl(set, 0, SETALL, values) == 0 && semctl(set, 0, GETALL, values) == 0, "SETALL and GETALL");
}

static void let_sleep(void)
{
    struct sembuf down = {0, -1, 0}, up = {0, SLEEPERS, 0};

    for (int i = 0; i < SLEEPERS; i++) {
        pid_t pid = fork();
        check(pid != -1, "fork");
        if (pid == 0) {
            alarm(60);
            _exit(semop(set, &down, 1) == 0 ? 0 : 1);
        }
    }
    while (semctl(set, 0, GETNCNT) != SLEEPERS)
        usleep(1000);
    check(semop(set, &up, 1) == 0, "semop");
    for (int i = 0, status; i < SLEEPERS; i++)
        check(wait(&status) != -1 && status == 0, "a sleeper");
}

/* What /proc/self/smaps says of the set's file. */
static long resident_bytes(void)
{
    const char *directory = getenv("USIPC_DIR");
    char path[4096], line[4096];
    unsigned long inode = 0;
    struct stat st;
    long kib, total = 0;
    FILE *smaps = fopen("/proc/self/smaps", "r");

    snprintf(path, sizeof path, "%s/sem/0", directory ? directory : "");
    check(smaps != NULL && (directory == NULL || stat(path, &st) == 0), path);
    while (directory != NULL && fgets(line, sizeof line, smaps) != NULL) {
        if (sscanf(line, "%*[0-9a-f]-%*[0-9a-f] %*s %*s %*s %lu", &inode) == 1)
            continue;
        if (inode == st.st_ino && sscanf(line, "Rss: %ld kB", &kib) == 1)
            total += kib * 1024;
    }
    fclose(smaps);
    return total;
}

int main(int argc, char **argv)
{
    const char *use = argc == 3 ? argv[2] : "";

    nsems = argc == 3 ? atoi(argv[1]) : 0;
    check(nsems > 0 && nsems <= MOST, "usage: use_sem NSEMS USE");
    set = semget(IPC_PRIVATE, nsems, 0600);
    check(set != -1, "semget");
    if (strcmp(use, "used") == 0)
        use_one_by_one();
    else if (strcmp(use, "setall") == 0)
        use_all();
    else if (strcmp(use, "slept") == 0)
        let_sleep();
    else if (strcmp(use, "undo") == 0 || strcmp(use, "held") == 0)
        use_arrays(1);
    else if (strcmp(use, "idle") != 0)
        return 2;
    if (strcmp(use, "undo") == 0)
        use_arrays(-1);
    printf("%ld\n", resident_bytes());
    return 0;
}
