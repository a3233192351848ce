/* shmget: keys, flags, sizes, errors in the kernel's order; and what a new segment is like. */
#include "scene_shm.h"

static int get(key_t key, size_t size, int flags)
{
    int segment = shmget(key, size, flags);

    say("shmget(%s, %zu, %s%s%03o) %s", key == IPC_PRIVATE ? "private" : "key", size, flags & IPC_CREAT ? "CREAT " : "",
        flags & IPC_EXCL ? "EXCL " : "", (unsigned)(flags & 0777), segment == -1 ? result(-1) : "works");
    return segment;
}

/* shm_segsz is what was asked for; the memory is whole pages. */
static void sizes(void)
{
    static const size_t sizes[] = {1, 2, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 5, 1 << 20, (1 << 20) + 1};

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        int segment = get(IPC_PRIVATE, sizes[i], IPC_CREAT | 0600);
        size_t whole = (sizes[i] + PAGE - 1) / PAGE * PAGE, zeros = 0;
        char *memory = must_attach(segment);
        for (size_t k = 0; k < whole; k++)
            zeros += memory[k] == 0;
        memset(memory, 1, whole);
        seg_state(segment);
        say("%zu zeros", zeros);
        need(shmdt(memory) == 0 && seg_remove(segment) == 0, "shmdt");
    }
}

static void impossible_sizes(void)
{
    static const size_t sizes[] = {0, (size_t)-1, (size_t)-PAGE, (size_t)1 << 63};

    for (size_t i = 0; i < LENGTH(sizes); i++)
        get(IPC_PRIVATE, sizes[i], IPC_CREAT | 0600);
}

/* An existing key: an impossible or too large size comes after EEXIST, before anything else. */
static void errors_in_order(void)
{
    int segment;

    get(SHM_KEY, 1, 0600);
    get(SHM_KEY, 0, 0600);
    get(SHM_KEY, (size_t)-1, 0600);
    get(SHM_KEY, 0, IPC_CREAT | 0600);
    get(SHM_KEY, (size_t)-1, IPC_CREAT | 0600);
    get(SHM_KEY, 1, IPC_EXCL | 0600);
    segment = get(SHM_KEY, 5000, IPC_CREAT | IPC_EXCL | 0600);
    get(SHM_KEY, 5000, IPC_CREAT | IPC_EXCL | 0600);
    get(SHM_KEY, 5001, IPC_CREAT | IPC_EXCL | 0600);
    get(SHM_KEY, (size_t)-1, IPC_CREAT | IPC_EXCL | 0600);
    say("same id: %d", get(SHM_KEY, 5000, IPC_CREAT | 0600) == segment);
    say("same id: %d", get(SHM_KEY, 0, 0) == segment);
    say("same id: %d", get(SHM_KEY, 1, IPC_EXCL) == segment);
    get(SHM_KEY, 5001, 0600);
    get(SHM_KEY, 8192, 0600);
    get(SHM_KEY, (size_t)-1, IPC_CREAT | 0600);
    seg_state(segment);
    need(seg_remove(segment) == 0, "IPC_RMID");
    get(SHM_KEY, 1, 0600);
}

static void private_segments(void)
{
    int a = get(IPC_PRIVATE, 1, 0600), b = get(IPC_PRIVATE, 1, IPC_CREAT | IPC_EXCL | 0600);

    say("another id: %d", a != b);
    need(seg_remove(a) == 0, "IPC_RMID");
    at("removed", a, NULL, 0);
    at("other", b, NULL, 0);
    get(IPC_PRIVATE, 0, 0600);
}

static void odd_keys(void)
{
    static const key_t keys[] = {1, -1, INT_MAX, INT_MIN};
    struct shmid_ds ds;
    int segments[LENGTH(keys)];

    for (size_t i = 0; i < LENGTH(keys); i++)
        segments[i] = get(keys[i], 1, IPC_CREAT | IPC_EXCL | 0600);
    for (size_t i = 0; i < LENGTH(keys); i++) {
        need(shmctl(segments[i], IPC_STAT, &ds) == 0, "IPC_STAT");
        say_perm(&ds.shm_perm, keys[i], segments[i]);
        say("same id: %d", shmget(keys[i], 0, 0) == segments[i]);
    }
}

/* Only the low nine bits of the flags are a mode; SHM_NORESERVE and others leave no trace in it. */
static void modes(void)
{
    static const int flags[] = {0, 0600, 0777, 0444, 0123, SHM_NORESERVE | 0640, 01000 | 0600};
    struct shmid_ds ds;

    umask(077);
    for (size_t i = 0; i < LENGTH(flags); i++) {
        int segment = shmget(IPC_PRIVATE, 1, flags[i] | IPC_CREAT);
        need(segment != -1 && shmctl(segment, IPC_STAT, &ds) == 0, "IPC_STAT");
        say("flags %o: mode %o", (unsigned)flags[i], (unsigned)ds.shm_perm.mode);
    }
}

static void a_new_segment(void)
{
    struct shmid_ds ds;
    int segment = shmget(SHM_KEY, 12345, IPC_CREAT | 0640);

    memset(&ds, 0xa5, sizeof ds);
    need(segment != -1 && shmctl(segment, IPC_STAT, &ds) == 0, "IPC_STAT");
    say_perm(&ds.shm_perm, SHM_KEY, segment);
    say("atime %ld, dtime %ld, ctime %s", (long)ds.shm_atime, (long)ds.shm_dtime, moved(1, ds.shm_ctime));
    seg_state(segment);
    need(seg_remove(segment) == 0, "IPC_RMID");
    seg_state(segment);
}

static void removed_and_made_again(void)
{
    int ids[20], same = 0, works = 0;

    for (size_t i = 0; i < LENGTH(ids); i++) {
        ids[i] = shmget(SHM_KEY, 1, IPC_CREAT | IPC_EXCL | 0600);
        need(ids[i] != -1, "shmget");
        for (size_t k = 0; k < i; k++) {
            same += ids[k] == ids[i];
            works += attach(ids[k], NULL, 0) != FAILED || errno != EINVAL;
        }
        need(seg_remove(ids[i]) == 0, "IPC_RMID");
    }
    say("%d ids came twice, %d old ones work", same, works);
}

/* shmmni of them, and not one more. */
static void as_many_as_there_may_be(void)
{
    int segment, total = 0, last = -1;

    while (total < 10000 && (segment = shmget(IPC_PRIVATE, 1, IPC_CREAT | 0600)) != -1)
        last = segment, total++;
    say("%d, then %s", total, errno_name(errno));
    get(SHM_KEY, 1, 0600);
    get(SHM_KEY, 1, IPC_CREAT | 0600);
    get(SHM_KEY, 0, IPC_CREAT | 0600);
    need(seg_remove(last) == 0, "IPC_RMID");
    get(SHM_KEY, 1, IPC_CREAT | 0600);
    get(IPC_PRIVATE, 1, IPC_CREAT | 0600);
}

static int machine_has_huge_pages(void)
{
    FILE *set_aside = fopen("/proc/sys/vm/nr_hugepages", "r");
    int pages = 0;

    if (set_aside == NULL || fscanf(set_aside, "%d", &pages) != 1 || pages == 0)
        return 0;
    say("this machine has huge pages");
    return 1;
}

/* The number above bit 26 is the binary logarithm of the page's size; not all sizes there are. */
enum { HUGE_SHIFT = 26 };
static const int huge_flags[] = {0, 21 << HUGE_SHIFT, 13 << HUGE_SHIFT};

/* No huge page is set aside on most machines. */
static void huge_pages(void)
{
    if (machine_has_huge_pages())
        return;
    for (size_t i = 0; i < LENGTH(huge_flags); i++) {
        get(IPC_PRIVATE, 0, IPC_CREAT | SHM_HUGETLB | huge_flags[i] | 0600);
        get(IPC_PRIVATE, 1, IPC_CREAT | SHM_HUGETLB | huge_flags[i] | 0600);
        get(IPC_PRIVATE, 4 << 20, IPC_CREAT | SHM_HUGETLB | huge_flags[i] | 0600);
    }
    get(IPC_PRIVATE, 1, IPC_CREAT | huge_flags[1] | 0600);
}

/* With nothing reserved, the lack shows when they are touched. */
static void huge_pages_not_reserved(void)
{
    if (machine_has_huge_pages())
        return;
    for (size_t i = 0; i < LENGTH(huge_flags); i++)
        get(IPC_PRIVATE, 4 << 20, IPC_CREAT | SHM_HUGETLB | SHM_NORESERVE | huge_flags[i] | 0600);
}

/* More than any memory, all but two pages of it unused. */
static void one_tebibyte(void)
{
    const size_t size = (size_t)1 << 40;
    int segment = get(IPC_PRIVATE, size, IPC_CREAT | SHM_NORESERVE | 0600);
    char *memory;

    if (segment == -1)
        return;
    seg_state(segment);
    memory = at("one tebibyte", segment, NULL, 0);
    if (memory != FAILED) {
        say("first %d, last %d", memory[0], memory[size - 1]);
        memory[0] = 1;
        memory[size / 2 + 1] = 2;
        memory[size - 1] = 3;
        dt("one tebibyte", memory);
        memory = must_attach(segment);
        say("first %d, middle %d, last %d", memory[0], memory[size / 2 + 1], memory[size - 1]);
    }
    need(seg_remove(segment) == 0, "IPC_RMID");
}

/* What is reserved must be there; the kernel can be told never to ask (overcommit_memory 1). */
static void more_than_there_is(void)
{
    FILE *overcommit = fopen("/proc/sys/vm/overcommit_memory", "r");
    int never = 0;

    if (overcommit != NULL && fscanf(overcommit, "%d", &never) == 1 && never == 1) {
        say("this machine promises any memory");
        return;
    }
    get(SHM_KEY, (size_t)1 << 45, IPC_CREAT | 0600);
    get(SHM_KEY, 1, 0);
    get(SHM_KEY, 1, IPC_CREAT | 0600);
}

/* Of several who create the same key at once exactly one does. */
static void creators_race(void)
{
    enum { CREATORS = 6, CREATED, ELSE };
    int failed = 0;

    for (int round = 0; round < 20; round++) {
        pid_t pids[CREATORS];
        stage->counter[CREATED] = 0;
        for (int i = 0; i < CREATORS; i++)
            if ((pids[i] = fork()) == 0) {
                if (shmget(SHM_KEY, 100, IPC_CREAT | IPC_EXCL | 0600) != -1)
                    bump(CREATED);
                else if (errno != EEXIST)
                    bump(ELSE);
                _exit(0);
            }
        for (int i = 0; i < CREATORS; i++)
            waitpid(pids[i], NULL, 0);
        failed += count(CREATED) != 1 || count(ELSE) != 0;
        need(seg_remove(shmget(SHM_KEY, 0, 0)) == 0, "IPC_RMID");
    }
    say("%d rounds without exactly one creator", failed);
}

SCENES(SCENE(sizes), SCENE(impossible_sizes), SCENE(errors_in_order), SCENE(private_segments), SCENE(odd_keys),
       SCENE(modes), SCENE(a_new_segment), SCENE(removed_and_made_again), SCENE(as_many_as_there_may_be),
       SCENE(huge_pages), SCENE(huge_pages_not_reserved), SCENE(one_tebibyte),
       SCENE(more_than_there_is), SCENE(creators_race))
