/* System V shared memory. */
#include "points.h"
#include <sys/ipc.h>
#include <sys/shm.h>

enum { KEY = 0x5401, BYTES = 10000, NEW_MODE = 0640 };

static int segment, names;
static void *at;

static void note_names(void)
{
    names = count_in("shm");
    segment = -1;
}

static void prepare(void)
{
    char *p;

    note_names();
    segment = shmget(KEY, BYTES, IPC_CREAT | IPC_EXCL | 0600);
    need(segment != -1, "shmget");
    p = shmat(segment, NULL, 0);
    need(p != (char *)-1, "shmat");
    fill_text(p, LONGEST, 3);
    need(shmdt(p) == 0, "shmdt");
}

static int nattch(void)
{
    struct shmid_ds status;

    if (shmctl(segment, IPC_STAT, &status) == -1) {
        expect(errno == EINVAL || errno == EIDRM, "IPC_STAT: %s", strerror(errno));
        return -1;
    }
    return (int)status.shm_nattch;
}

/* Attached by nobody, its contents are there, and it can be attached, twice, and detached. */
static void expect_usable(void)
{
    char *a, *b;

    expect(nattch() == 0, "shm_nattch is %d", nattch());
    a = shmat(segment, NULL, 0);
    b = shmat(segment, NULL, SHM_RDONLY);
    expect(a != (char *)-1 && b != (char *)-1, "shmat: %s", strerror(errno));
    if (a == (char *)-1 || b == (char *)-1)
        return;
    expect(nattch() == 2, "shm_nattch is %d", nattch());
    expect(is_text(a, LONGEST, 3), "the contents are others");
    a[BYTES - 1] = 1;
    expect(b[BYTES - 1] == 1, "attached twice, but not the same");
    expect(shmdt(a) == 0 && shmdt(b) == 0, "shmdt: %s", strerror(errno));
    expect(nattch() == 0, "shm_nattch is %d", nattch());
}

static void look_at_all(void)
{
    struct shmid_ds status;
    struct shm_info info;
    int index;

    for (index = shmctl(0, SHM_INFO, (struct shmid_ds *)&info); index >= 0; index--)
        shmctl(index, SHM_STAT, &status);
}

static void clear(void)
{
    look_at_all();
    expect(shmget(KEY, 0, 0) == segment, "the key leads elsewhere");
    expect(shmctl(segment, IPC_RMID, NULL) == 0, "IPC_RMID: %s", strerror(errno));
    expect(shmget(KEY, 0, 0) == -1 && errno == ENOENT, "the key leads somewhere after IPC_RMID");
    expect(nattch() == -1, "removed, but not gone");
    expect(count_in("shm") == names, "%d segments are left", count_in("shm") - names);
}

static void look(void)
{
    struct shmid_ds status;

    shmctl(segment, IPC_STAT, &status);
}

static void call_attach(void) { at = shmat(segment, NULL, 0); }
static void call_detach(void) { shmdt(at); }

/* Whatever the dead had attached is not. */
static int check_attach(int ended)
{
    (void)ended;
    expect_usable();
    return 0;
}

/* Another process has it attached all the while. */
static void stay_attached(struct note *note)
{
    note->result = shmat(segment, NULL, 0) != (void *)-1;
    pause();
}

static void prepare_attached(void)
{
    prepare();
    start_sleeper(0, stay_attached);
}

static int check_beside(int ended)
{
    (void)ended;
    expect(nattch() == 1, "shm_nattch is %d", nattch());
    end_sleeper(0);
    expect_usable();
    return 0;
}

/* The victim is the last to have a removed segment attached. */
static void attach_and_remove(void)
{
    call_attach();
    if (shmctl(segment, IPC_RMID, NULL) == -1)
        _exit(1);
}

static int check_last(int ended)
{
    (void)ended;
    expect(shmget(KEY, 0, 0) == -1 && errno == ENOENT, "the key leads somewhere after IPC_RMID");
    expect(nattch() == -1, "removed and attached by nobody, but not gone: %d", nattch());
    look_at_all();
    expect(count_in("shm") == names, "%d segments are left", count_in("shm") - names);
    segment = shmget(KEY, BYTES, IPC_CREAT | IPC_EXCL | 0600);
    expect(segment != -1, "shmget: %s", strerror(errno));
    return 0;
}

static void call_remove(void) { shmctl(segment, IPC_RMID, NULL); }

static int check_removed(int ended)
{
    int outcome = shmget(KEY, 0, 0) == -1, attached = scenario->prepare == prepare_attached, before = segment;
    struct shmid_ds status = {0};

    expect(!outcome || errno == ENOENT, "shmget: %s", strerror(errno));
    expect(!ended || outcome, "the call has returned, and the segment is there");
    if (attached) {
        expect(shmctl(segment, IPC_STAT, &status) == 0 && status.shm_nattch == 1, "IPC_STAT: %s, shm_nattch %lu", strerror(errno),
               (unsigned long)status.shm_nattch);
        expect(!(status.shm_perm.mode & SHM_DEST) == !outcome, "SHM_DEST in mode %o", status.shm_perm.mode);
        end_sleeper(0);
    }
    if (!outcome) {
        expect_usable();
        return 0;
    }
    expect(nattch() == -1, "removed, but not gone");
    look_at_all();
    expect(count_in("shm") == names, "%d segments are left", count_in("shm") - names);
    segment = shmget(KEY, BYTES, IPC_CREAT | IPC_EXCL | 0600);
    expect(segment != -1 && segment != before, "made again: %d (%s), it was %d", segment, strerror(errno), before);
    return 1;
}

static void call_get(void) { shmget(KEY, BYTES, IPC_CREAT | IPC_EXCL | 0600); }

static int check_get(int ended)
{
    struct shm_info info;
    int outcome;
    char *p;

    /* First, and alone: it buries the segment whose key was never set. */
    expect(shmctl(0, SHM_INFO, (struct shmid_ds *)&info) != -1, "SHM_INFO: %s", strerror(errno));
    segment = shmget(KEY, BYTES, 0);
    outcome = segment != -1;
    expect(outcome || errno == ENOENT, "shmget: %s", strerror(errno));
    expect(info.used_ids - names == outcome, "%d segments", info.used_ids - names);
    expect(!ended || outcome, "the call has returned, and there is no segment");
    if (!outcome)
        segment = shmget(KEY, BYTES, IPC_CREAT | IPC_EXCL | 0600);
    p = shmat(segment, NULL, 0);
    expect(p != (char *)-1, "shmat: %s", strerror(errno));
    if (p != (char *)-1) {
        expect(p[0] == 0 && p[BYTES - 1] == 0, "a new segment is not empty");
        fill_text(p, LONGEST, 3);
        shmdt(p);
        expect_usable();
    }
    return outcome;
}

static void call_set(void)
{
    struct shmid_ds status;

    shmctl(segment, IPC_STAT, &status);
    status.shm_perm.mode = NEW_MODE;
    shmctl(segment, IPC_SET, &status);
}

static int check_set(int ended)
{
    struct shmid_ds status = {0};
    int mode, outcome;

    expect(shmctl(segment, IPC_STAT, &status) == 0, "IPC_STAT: %s", strerror(errno));
    mode = status.shm_perm.mode & 0777;
    outcome = mode == NEW_MODE;
    expect(outcome || mode == 0600, "the mode is %o", mode);
    expect(status.shm_segsz == BYTES && status.shm_perm.uid == geteuid(), "the rest is changed");
    expect(!ended || outcome, "the call has returned, and has not been done");
    expect_usable();
    return outcome;
}

/* Its child may live a moment longer. */
static int check_fork(int ended)
{
    long until = now_ms() + WAIT_MS;

    (void)ended;
    while (nattch() && now_ms() < until)
        usleep(100);
    expect_usable();
    return 0;
}

/* The victim forks with a segment attached: its child counts from its first moment to its last. */
static void call_fork(void)
{
    if (fork() == 0)
        _exit(0);
}

const struct scenario shm_scenarios[] = {
    {.name = "shmat", .prepare = prepare, .call = call_attach, .second = look, .check = check_attach, .clear = clear},
    {.name = "shmat-cold", .prepare = prepare, .call = call_attach, .check = check_attach, .clear = clear},
    {.name = "shmat-beside", .prepare = prepare_attached, .call = call_attach, .check = check_beside, .clear = clear},
    {.name = "shmdt", .prepare = prepare, .warm = call_attach, .call = call_detach, .second = look, .check = check_attach, .clear = clear},
    {.name = "shmdt-beside", .prepare = prepare_attached, .warm = call_attach, .call = call_detach, .check = check_beside, .clear = clear},
    {.name = "shmdt-last", .prepare = prepare, .warm = attach_and_remove, .call = call_detach, .second = look, .check = check_last, .clear = clear},
    {.name = "shm-fork", .prepare = prepare, .warm = call_attach, .call = call_fork, .check = check_fork, .clear = clear},
    {.name = "shmctl-rmid", .prepare = prepare, .call = call_remove, .second = look, .check = check_removed, .clear = clear},
    {.name = "shmctl-rmid-attached", .prepare = prepare_attached, .call = call_remove, .second = look, .check = check_removed, .clear = clear},
    {.name = "shmctl-set", .prepare = prepare, .call = call_set, .second = look, .check = check_set, .clear = clear},
    {.name = "shmget-key", .prepare = note_names, .call = call_get, .check = check_get, .clear = clear},
    {0},
};
