/* semget: keys, flags, sizes, errors in the kernel's order; and what a new set is like. */
#include "scene_ipc.h"
#include "scene_sem.h"

static int get(key_t key, int semaphores, int flags)
{
    int set = semget(key, semaphores, flags);

    say("semget(%s, %d, %s%s%03o) %s", key == IPC_PRIVATE ? "private" : "key", semaphores,
        flags & IPC_CREAT ? "CREAT " : "", flags & IPC_EXCL ? "EXCL " : "", (unsigned)(flags & 0777),
        set == -1 ? result(-1) : "works");
    return set;
}

static void sizes(void)
{
    static const int totals[] = {1, 2, 250, 31999, 32000, 32001, 65536, 65537, INT_MAX, 0, -1, INT_MIN};

    for (size_t i = 0; i < LENGTH(totals); i++) {
        struct semid_ds ds;
        int set = get(IPC_PRIVATE, totals[i], IPC_CREAT | 0600);
        if (set == -1)
            continue;
        need(ctl_buf(set, 0, IPC_STAT, &ds) == 0, "IPC_STAT");
        say("%lu semaphores", (unsigned long)ds.sem_nsems);
        set_remove(set);
    }
}

/* The key decides before the size does, but an impossible size comes first of all. */
static void errors_in_order(void)
{
    int set;

    get(SEM_KEY, 1, 0600);
    get(SEM_KEY, 0, 0600);
    get(SEM_KEY, 32001, 0600);
    get(SEM_KEY, -1, 0600);
    get(SEM_KEY, 0, IPC_CREAT | 0600);
    get(SEM_KEY, -1, IPC_CREAT | 0600);
    get(SEM_KEY, 1, IPC_EXCL | 0600);
    set = get(SEM_KEY, 3, IPC_CREAT | IPC_EXCL | 0600);
    get(SEM_KEY, 3, IPC_CREAT | IPC_EXCL | 0600);
    get(SEM_KEY, 4, IPC_CREAT | IPC_EXCL | 0600);
    get(SEM_KEY, 32001, IPC_CREAT | IPC_EXCL | 0600);
    get(SEM_KEY, -1, IPC_CREAT | IPC_EXCL | 0600);
    get(SEM_KEY, 0, IPC_CREAT | IPC_EXCL | 0600);
    say("same id: %d", get(SEM_KEY, 0, 0) == set);
    say("same id: %d", get(SEM_KEY, 3, IPC_EXCL) == set);
    say("same id: %d", get(SEM_KEY, 2, IPC_CREAT | 0) == set);
    get(SEM_KEY, 4, 0600);
    get(SEM_KEY, 4, IPC_CREAT | 0600);
    get(SEM_KEY, 32000, 0);
    get(SEM_KEY, 32001, 0);
    set_remove(set);
    get(SEM_KEY, 3, 0600);
}

/* IPC_PRIVATE always makes a new one, with no need of IPC_CREAT. */
static void private_sets(void)
{
    int a = get(IPC_PRIVATE, 1, 0600), b = get(IPC_PRIVATE, 1, IPC_CREAT | IPC_EXCL | 0600);

    say("another id: %d", a != b);
    set_remove(a);
    op(b, "0+1");
    op(a, "0+1");
    set_remove(b);
    op(b, "0+1");
    get(IPC_PRIVATE, 0, 0600);
}

static void odd_keys(void)
{
    static const key_t keys[] = {1, -1, INT_MAX, INT_MIN};
    struct semid_ds ds;
    int sets[LENGTH(keys)];

    for (size_t i = 0; i < LENGTH(keys); i++)
        sets[i] = get(keys[i], 1, IPC_CREAT | IPC_EXCL | 0600);
    for (size_t i = 0; i < LENGTH(keys); i++) {
        need(ctl_buf(sets[i], 0, IPC_STAT, &ds) == 0, "IPC_STAT");
        say_perm(&ds.sem_perm, keys[i], sets[i]);
        say("same id: %d", semget(keys[i], 0, 0) == sets[i]);
    }
}

/* Only the low nine bits of the flags are a mode; umask has no say. */
static void modes(void)
{
    static const int flags[] = {0, 0600, 0777, 07777, 0444, 010000600, 0123, -1 & ~(IPC_CREAT | IPC_EXCL)};
    struct semid_ds ds;

    umask(077);
    for (size_t i = 0; i < LENGTH(flags); i++) {
        int set = semget(IPC_PRIVATE, 1, flags[i]);
        need(set != -1 && ctl_buf(set, 0, IPC_STAT, &ds) == 0, "IPC_STAT");
        say("flags %o: mode %o", (unsigned)flags[i] & 0xfffffff, (unsigned)ds.sem_perm.mode);
    }
}

static void a_new_set(void)
{
    struct semid_ds ds;
    int set = semget(SEM_KEY, 3, IPC_CREAT | 0640);

    memset(&ds, 0xa5, sizeof ds);
    need(set != -1 && ctl_buf(set, 0, IPC_STAT, &ds) == 0, "IPC_STAT");
    say_perm(&ds.sem_perm, SEM_KEY, set);
    say("%lu semaphores, otime %ld, ctime %s", (unsigned long)ds.sem_nsems, (long)ds.sem_otime,
        moved(1, ds.sem_ctime));
    set_state(set);
    set_remove(set);
}

/* A set that exists is taken as it is: size, mode, values. */
static void taken_as_it_is(void)
{
    struct semid_ds ds;
    int set = semget(SEM_KEY, 3, IPC_CREAT | 0600);

    setall(set, 4, 5, 6);
    op(set, "0-1");
    say("same id: %d", semget(SEM_KEY, 1, IPC_CREAT | 0666) == set);
    need(ctl_buf(set, 0, IPC_STAT, &ds) == 0, "IPC_STAT");
    say("%lu semaphores, mode %o", (unsigned long)ds.sem_nsems, (unsigned)ds.sem_perm.mode);
    set_state(set);
    set_remove(set);
}

/* The identifier of a removed set is that of no other, though the key's next set may take its place. */
static void removed_and_made_again(void)
{
    int ids[20], same = 0, works = 0;

    for (size_t i = 0; i < LENGTH(ids); i++) {
        ids[i] = semget(SEM_KEY, 1, IPC_CREAT | IPC_EXCL | 0600);
        need(ids[i] != -1, "semget");
        for (size_t k = 0; k < i; k++) {
            same += ids[k] == ids[i];
            works += ops(ids[k], "0+1") != -1 || errno != EINVAL;
        }
        set_remove(ids[i]);
    }
    say("%d ids came twice, %d old ones work", same, works);
}

/* Of several who create the same key at once exactly one does. */
static void creators_race(void)
{
    enum { CREATORS = 6 };
    int failed = 0;

    for (int round = 0; round < 20; round++) {
        pid_t pids[CREATORS];
        int status;
        stage->counter[0] = 0;
        for (int i = 0; i < CREATORS; i++)
            if ((pids[i] = fork()) == 0) {
                if (semget(SEM_KEY, 2, IPC_CREAT | IPC_EXCL | 0600) != -1)
                    bump(0);
                else if (errno != EEXIST)
                    bump(1);
                _exit(0);
            }
        for (int i = 0; i < CREATORS; i++)
            waitpid(pids[i], &status, 0);
        failed += count(0) != 1 || count(1) != 0;
        set_remove(semget(SEM_KEY, 0, 0));
    }
    say("%d rounds without exactly one creator", failed);
}

SCENES(SCENE(sizes), SCENE(errors_in_order), SCENE(private_sets), SCENE(odd_keys), SCENE(modes), SCENE(a_new_set),
       SCENE(taken_as_it_is), SCENE(removed_and_made_again), SCENE(creators_race))
