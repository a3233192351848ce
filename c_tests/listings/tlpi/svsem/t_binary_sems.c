/*
 * TLPI 47, listing 47-10: t_binary_sems [-ue] semid {available | inuse | reserve | release | hold}...: what the
 * library does with semaphore 0, step by step (a program of ours, the book has none). -u is bsUseSemUndo; -e ends a
 * wait by an alarm after a second, without bsRetryOnEintr; hold waits to be killed.
 */
#include "binary_sems.h"
#include "listing.h"
#include <signal.h>

static void nothing(int signal_number) { (void)signal_number; }

static int step(int id, const char *word)
{
    if (strcmp(word, "available") == 0)
        return initSemAvailable(id, 0);
    if (strcmp(word, "inuse") == 0)
        return initSemInUse(id, 0);
    if (strcmp(word, "reserve") == 0)
        return reserveSem(id, 0);
    if (strcmp(word, "release") == 0)
        return releaseSem(id, 0);
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = nothing};
    int option, id, i;

    while ((option = getopt(argc, argv, "ue")) != -1)
        switch (option) {
        case 'u': bsUseSemUndo = true; break;
        case 'e':
            bsRetryOnEintr = false;
            sigaction(SIGALRM, &action, NULL);
            alarm(1);
            break;
        default: usage(argv[0], "[-u] [-e] semid step...");
        }
    if (optind >= argc)
        usage(argv[0], "[-u] [-e] semid step...");
    id = number(argv[optind], 10, "semid");
    for (i = optind + 1; i < argc; i++) {
        if (step(id, argv[i]) == -1)
            fail_in("%s", argv[i]);
        printf("%s\n", argv[i]);
    }
    return 0;
}
