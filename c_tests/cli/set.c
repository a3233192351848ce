/* set KEY WORD...: makes a set of semaphores with the values of the words, writes its identifier, and does
 * what the last word says:
 *   hold     takes 1 from the first with SEM_UNDO, from the last too, and stays until it is killed
 *   take     waits until the first is greater than its value by 30000
 *   zero     waits, by an array, until the second is 0 and adds 1 to the first
 * A wait that ends writes EIDRM, another error, or "done". */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <unistd.h>

#define MOST 32000

static unsigned short values[MOST];

static int run(int id, const char *what, unsigned short n)
{
    struct sembuf hold[] = { { 0, -1, SEM_UNDO }, { (unsigned short)(n - 1), -1, SEM_UNDO } };
    struct sembuf take = { 0, -30000, 0 };
    struct sembuf zero[] = { { 1, 0, 0 }, { 0, 1, 0 } };

    /* Not for ever, should the test be cut short. */
    alarm(120);
    if (strcmp(what, "hold") == 0) {
        if (semop(id, hold, 2) == -1)
            return -1;
        printf("%d\n", id);
        fflush(stdout);
        pause();
    }
    return strcmp(what, "take") == 0 ? semop(id, &take, 1) : semop(id, zero, 2);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[argc - 1] : "";
    int n = 0, waits = strcmp(what, "take") == 0 || strcmp(what, "zero") == 0, id;

    if (argc < 3)
        return 2;
    while (n < argc - 2 && n < MOST && argv[n + 2][0] >= '0' && argv[n + 2][0] <= '9') {
        values[n] = (unsigned short)atoi(argv[n + 2]);
        n++;
    }
    id = semget((key_t)strtol(argv[1], NULL, 0), n, IPC_CREAT | 0640);
    if (id == -1 || (n > 0 && semctl(id, 0, SETALL, values) == -1)) {
        perror("set");
        return 1;
    }
    if (strcmp(what, "hold") != 0 && !waits) {
        printf("%d\n", id);
        return 0;
    }
    if (run(id, what, (unsigned short)n) == 0)
        puts("done");
    else
        puts(errno == EIDRM ? "EIDRM" : strerror(errno));
    return 0;
}
