/* The errors of semop and semtimedop, several at once, in the order in which the kernel looks for them. */
#include "scene_ipc.h"
#include "scene_sem.h"

static int removed_set(void)
{
    int set = set_new(1);

    set_remove(set);
    return set;
}

static void tell(const char *what, int done) { say("%s %s", what, result(done)); }

static void identifiers(void)
{
    struct sembuf add = {0, 1, 0};
    int set = set_new(1), gone = removed_set();

    tell("id -1", semop(-1, &add, 1));
    tell("smallest id", semop(INT_MIN, &add, 1));
    tell("largest id", semop(INT_MAX, &add, 1));
    tell("removed", semop(gone, &add, 1));
    tell("other sequence", semop(set + (1 << 15), &add, 1));
    tell("unused index", semop(set + 1, &add, 1));
    tell("good", semop(set, &add, 1));
}

static void numbers_of_operations(void)
{
    struct sembuf list[OPS_MAX + 1];
    int set = set_new(1);

    for (int i = 0; i <= OPS_MAX; i++)
        list[i] = (struct sembuf){0, 1, 0};
    tell("0", semop(set, list, 0));
    tell("0, NULL", semop(set, NULL, 0));
    tell("0, id -1", semop(-1, NULL, 0));
    tell("501", semop(set, list, OPS_MAX + 1));
    tell("501, NULL", semop(set, NULL, OPS_MAX + 1));
    tell("501, id -1", semop(-1, NULL, OPS_MAX + 1));
    tell("501, removed", semop(removed_set(), list, OPS_MAX + 1));
    tell("as many as can be said", semop(set, list, (size_t)UINT_MAX));
    tell("2 to the 31", semop(set, list, (size_t)1 << 31));
    tell("500", semop(set, list, OPS_MAX));
    set_state(set);
}

static void pointers(void)
{
    struct sembuf add = {0, 1, 0}, *at_end = (struct sembuf *)page_end();
    int set = set_new(1), gone = removed_set();

    tell("NULL", semop(set, NULL, 1));
    tell("protected page", semop(set, at_end, 1));
    tell("kernel's address", semop(set, kernel_address(), 1));
    at_end[-1] = add;
    tell("the last before a protected page", semop(set, at_end - 1, 1));
    tell("half of it behind", semop(set, at_end - 1, 2));
    tell("not aligned, in part behind", semop(set, (struct sembuf *)((char *)at_end - 4), 1));
    tell("NULL, removed", semop(gone, NULL, 1));
    tell("NULL, id -1", semop(-1, NULL, 1));
    tell("read-only", semop(set, memcpy((char *)page_end() - sizeof add, &add, sizeof add), 1));
    set_state(set);
}

static void semaphore_numbers(void)
{
    struct sembuf list[2] = {{0, 1, 0}, {1, 1, 0}};
    int set = set_new(1), gone = removed_set();

    tell("1 of 1", semop(set, list + 1, 1));
    tell("second is out of range", semop(set, list, 2));
    list[1].sem_num = 65535;
    tell("largest number", semop(set, list, 2));
    list[0] = (struct sembuf){0, -1, IPC_NOWAIT};
    tell("out of range behind EAGAIN", semop(set, list, 2));
    list[0] = (struct sembuf){0, 32767, 0};
    ctl_val(set, 0, 1);
    tell("out of range behind ERANGE", semop(set, list, 2));
    list[0] = (struct sembuf){0, -5, 0};
    tell("out of range behind a wait", semop(set, list, 2));
    list[0].sem_flg = SEM_UNDO;
    tell("out of range with SEM_UNDO", semop(set, list, 2));
    tell("removed, with SEM_UNDO", semop(gone, list, 1));
    tell("removed, out of range", semop(gone, list + 1, 1));
    tell("removed, id -1", semop(-1, list, 1));
    set_state(set);
}

static void value_limits(void)
{
    int set = set_new(2);

    op(set, "0+32767");
    op(set, "0+1");
    op(set, "0+1n");
    op(set, "0+1u");
    op(set, "0-1 0+2");
    op(set, "0+1 1-1n");
    op(set, "1-1n 0+1");
    op(set, "1+32767 0+1");
    set_state(set);
    op(set, "0-32768n");
    op(set, "0-32767 1+1");
    op(set, "0-32768n");
    op(set, "0-32768un");
    set_state(set);
}

/* Flags that nobody knows are nobody's business; an operation of 0 with SEM_UNDO undoes nothing. */
static void odd_flags(void)
{
    struct sembuf odd = {0, 1, 0x4000 | 0x0100 | 1};
    int set = set_new(1);

    tell("unknown flags", semop(set, &odd, 1));
    odd = (struct sembuf){0, -1, 0x4000};
    tell("unknown flags", semop(set, &odd, 1));
    op(set, "0=0u");
    odd = (struct sembuf){0, -1, -1};
    tell("all flags", semop(set, &odd, 1));
    odd = (struct sembuf){0, 1, (short)~IPC_NOWAIT};
    tell("all but IPC_NOWAIT", semop(set, &odd, 1));
    set_state(set);
}

static int timed(int set, struct sembuf *list, size_t total, long seconds, long nanoseconds)
{
    struct timespec span = {seconds, nanoseconds};

    return semtimedop(set, list, total, &span);
}

static void timeouts(void)
{
    struct sembuf add = {0, 1, 0}, take = {0, -9, 0}, far = {5, 1, 0};
    int set = set_new(1), gone = removed_set();

    tell("negative seconds", timed(set, &add, 1, -1, 0));
    tell("negative nanoseconds", timed(set, &add, 1, 0, -1));
    tell("a whole second of nanoseconds", timed(set, &add, 1, 0, 1000000000));
    tell("the largest nanoseconds", timed(set, &add, 1, 1, LONG_MAX));
    tell("999999999", timed(set, &add, 1, 0, 999999999));
    tell("the largest seconds", timed(set, &add, 1, LONG_MAX, 999999999));
    tell("bad, removed", timed(gone, &add, 1, -1, 0));
    tell("bad, id -1", timed(-1, &add, 1, -1, 0));
    tell("bad, out of range", timed(set, &far, 1, -1, 0));
    tell("bad, 501 operations", timed(set, &add, OPS_MAX + 1, -1, 0));
    tell("bad, no operation", timed(set, &add, 0, -1, 0));
    tell("bad, NULL operations", timed(set, NULL, 1, -1, 0));
    tell("good, NULL operations", timed(set, NULL, 1, 1, 0));
    tell("zero", timed(set, &take, 1, 0, 0));
    take.sem_flg = IPC_NOWAIT;
    tell("zero and IPC_NOWAIT", timed(set, &take, 1, 0, 0));
    tell("bad and IPC_NOWAIT", timed(set, &take, 1, 0, -5));
    tell("bad and enough", timed(set, &add, 1, 0, -5));
    tell("NULL timeout", semtimedop(set, &add, 1, NULL));
    set_state(set);
}

static void timeout_pointers(void)
{
    struct sembuf add = {0, 1, 0};
    struct timespec *protected_page = (struct timespec *)page_end();
    int set = set_new(1), gone = removed_set();

    tell("protected page", semtimedop(set, &add, 1, protected_page));
    tell("kernel's address", semtimedop(set, &add, 1, kernel_address()));
    tell("half behind", semtimedop(set, &add, 1, (struct timespec *)((char *)protected_page - 8)));
    tell("removed", semtimedop(gone, &add, 1, protected_page));
    tell("id -1", semtimedop(-1, &add, 1, protected_page));
    tell("no operation", semtimedop(set, &add, 0, protected_page));
    tell("501 operations", semtimedop(set, &add, OPS_MAX + 1, protected_page));
    protected_page[-1] = (struct timespec){1, 0};
    tell("the last before it", semtimedop(set, &add, 1, protected_page - 1));
    set_state(set);
}

/* Success leaves errno alone, and failure changes nothing else. */
static void errno_kept(void)
{
    int set = set_new(1), kept;

    errno = ERANGE;
    ops(set, "0+1");
    ctl(set, 0, GETVAL);
    ctl_val(set, 0, 3);
    kept = semget(IPC_PRIVATE, 1, 0600);
    say("%s", errno_name(errno));
    set_remove(kept);
    op(set, "0-1 0-9n");
    set_state(set);
}

SCENES(SCENE(identifiers), SCENE(numbers_of_operations), SCENE(pointers), SCENE(semaphore_numbers),
       SCENE(value_limits), SCENE(odd_flags), SCENE(timeouts), SCENE(timeout_pointers), SCENE(errno_kept))
