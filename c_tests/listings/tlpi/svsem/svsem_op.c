/*
 * TLPI 47, listing 47-8: svsem_op semid op[,op...]...: a semop for each argument, with all operations in it at once:
 * <sem#>{+|-}<value>[n][u] or <sem#>=0[n]; n is IPC_NOWAIT, u is SEM_UNDO.
 */
#include "clock_time.h"
#include "semun.h"

#define MOST_OPERATIONS 1000

static const char *flags_of(const char *at, short *flags)
{
    for (*flags = 0; *at == 'n' || *at == 'u'; at++)
        *flags |= *at == 'n' ? IPC_NOWAIT : SEM_UNDO;
    return at;
}

/* One operation; where it ends. */
static const char *parse_one(const char *at, const char *argument, struct sembuf *step)
{
    char *end;
    char sign;

    step->sem_num = (unsigned short)strtol(at, &end, 10);
    sign = *end;
    if (end == at || !sign || !strchr("+-=", sign))
        bad_command_line("Can't parse \"%s\" (expected <sem#>{+|-|=}<value>)", argument);
    at = end + 1;
    step->sem_op = (short)strtol(at, &end, 10);
    if (end == at || (sign == '=' && step->sem_op != 0))
        bad_command_line("Expected a number (0 after \"=\") in \"%s\"", argument);
    if (sign == '-')
        step->sem_op = (short)-step->sem_op;
    at = flags_of(end, &step->sem_flg);
    if (*at && *at != ',')
        bad_command_line("Bad trailing character (%c) in \"%s\"", *at, argument);
    return at;
}

static size_t parse(const char *argument, struct sembuf *steps)
{
    const char *at = argument;
    size_t count = 0;

    do {
        if (count == MOST_OPERATIONS)
            bad_command_line("Too many operations (maximum=%d): \"%s\"", MOST_OPERATIONS, argument);
        at = parse_one(at, argument, &steps[count++]);
    } while (*at++ == ',');
    return count;
}

int main(int argc, char **argv)
{
    static struct sembuf steps[MOST_OPERATIONS];
    int i, id;

    if (argc < 3)
        usage(argv[0], "semid op[,op...] ...");
    id = number(argv[1], 10, "semid");
    for (i = 2; i < argc; i++) {
        size_t count = parse(argv[i], steps);

        printf("%5ld, %s: about to semop()  [%s]\n", (long)getpid(), clock_time(), argv[i]);
        if (semop(id, steps, count) == -1)
            fail_in("semop (PID=%ld)", (long)getpid());
        printf("%5ld, %s: semop() completed [%s]\n", (long)getpid(), clock_time(), argv[i]);
    }
    return 0;
}
