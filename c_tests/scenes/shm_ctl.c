/* shmctl: every command, its errors in the kernel's order, what it fills in, and the times it moves. */
#include "scene_shm.h"
#include <sys/resource.h>

static const struct {
    int command;
    const char *name;
} commands[] = {{IPC_RMID, "IPC_RMID"}, {IPC_SET, "IPC_SET"},           {IPC_STAT, "IPC_STAT"}, {IPC_INFO, "IPC_INFO"},
                {SHM_STAT, "SHM_STAT"}, {SHM_STAT_ANY, "SHM_STAT_ANY"}, {SHM_INFO, "SHM_INFO"}, {SHM_LOCK, "SHM_LOCK"},
                {SHM_UNLOCK, "SHM_UNLOCK"}, {4, "4"}, {16, "16"}, {-1, "-1"}, {1 << 16, "65536"}};

static void tell(const char *what, long done) { say("%s %s", what, result(done)); }

static int ctl(int segment, int command, void *buffer) { return shmctl(segment, command, (struct shmid_ds *)buffer); }

static struct shmid_ds stat_of(int segment)
{
    struct shmid_ds ds;

    need(shmctl(segment, IPC_STAT, &ds) == 0, "IPC_STAT");
    return ds;
}

static void bad_identifiers(void)
{
    static long buffer[64];
    int gone = seg_new(1);

    need(seg_remove(gone) == 0, "IPC_RMID");
    for (size_t i = 0; i < LENGTH(commands); i++) {
        char line[200];
        int length = 0;
        const int ids[] = {-1, INT_MIN, INT_MAX, gone, gone + 1};
        memset(buffer, 0, sizeof buffer);
        for (size_t k = 0; k < LENGTH(ids); k++)
            length += sprintf(line + length, " %s", result(ctl(ids[k], commands[i].command, buffer)));
        say("%s:%s", commands[i].name, line);
    }
}

static void bad_pointers(void)
{
    int segment = seg_new(1), gone = seg_new(1);

    need(seg_remove(gone) == 0, "IPC_RMID");
    for (size_t i = 1; i < LENGTH(commands); i++) {
        int command = commands[i].command;
        say("%s: NULL %s, protected %s, kernel's %s", commands[i].name, result(ctl(segment, command, NULL)),
            result(ctl(segment, command, page_end())), result(ctl(segment, command, kernel_address())));
        say("%s: half behind %s, removed %s, id -1 %s", commands[i].name, result(ctl(segment, command, page_end() - 4)),
            result(ctl(gone, command, page_end())), result(ctl(-1, command, page_end())));
        if (command != IPC_SET)
            tell("read-only", ctl(segment, command, read_only_page()));
    }
    tell("IPC_STAT to the edge", ctl(segment, IPC_STAT, page_end() - sizeof(struct shmid_ds)));
    tell("IPC_RMID with a bad pointer", ctl(segment, IPC_RMID, kernel_address()));
}

static void set_perm(int segment, uid_t uid, gid_t gid, unsigned mode)
{
    struct shmid_ds ds = stat_of(segment);

    ds.shm_perm.uid = uid;
    ds.shm_perm.gid = gid;
    ds.shm_perm.mode = (unsigned short)mode;
    ds.shm_perm.cuid = 77;
    ds.shm_perm.__key = 78;
    ds.shm_segsz = 79;
    ds.shm_nattch = 80;
    ds.shm_cpid = ds.shm_lpid = 81;
    ds.shm_atime = ds.shm_dtime = 82;
    say("IPC_SET %d %d %o %s", (int)uid, (int)gid, mode, result(ctl(segment, IPC_SET, &ds)));
    ds = stat_of(segment);
    say_perm(&ds.shm_perm, SHM_KEY, segment);
    seg_state(segment);
}

/* Only uid, gid and the low nine bits of the mode are taken over; what says "locked" and "removed" stays. */
static void ipc_set(void)
{
    int segment = shmget(SHM_KEY, 100, IPC_CREAT | 0600);

    set_perm(segment, 5, 6, 0644);
    set_perm(segment, 0, 0, 07777);
    set_perm(segment, 0, 0, 0);
    set_perm(segment, (uid_t)-1, 0, 0600);
    set_perm(segment, 0, (gid_t)-1, 0600);
    tell("SHM_LOCK", ctl(segment, SHM_LOCK, NULL));
    set_perm(segment, 0, 0, 0600);
    need(seg_remove(segment) == 0, "IPC_RMID");
}

/* Locking is a flag in the mode, not a count, and asks for no permission of the attached. */
static void locking(void)
{
    int segment = seg_new(3 * PAGE);
    char *memory;

    tell("SHM_UNLOCK", ctl(segment, SHM_UNLOCK, NULL));
    tell("SHM_LOCK", ctl(segment, SHM_LOCK, NULL));
    tell("SHM_LOCK again", ctl(segment, SHM_LOCK, NULL));
    seg_state(segment);
    memory = must_attach(segment);
    memory[2 * PAGE] = 1;
    seg_state(segment);
    tell("SHM_UNLOCK", ctl(segment, SHM_UNLOCK, NULL));
    seg_state(segment);
    tell("SHM_LOCK", ctl(segment, SHM_LOCK, NULL));
    need(seg_remove(segment) == 0, "IPC_RMID");
    seg_state(segment);
    dt("locked", memory);
    seg_state(segment);
}

/* The kernel counts what a user has locked, so this user is nobody else. */
enum { LOCKER = 61234 };

/* A user may lock as much as RLIMIT_MEMLOCK says, nothing when that is 0; root's capability knows no limit. */
static void locks_as_user(void *argument)
{
    struct rlimit limit = {*(int *)argument * (rlim_t)PAGE, 64 * PAGE};
    int small = seg_new(4 * PAGE), large = seg_new(100 * PAGE), more = seg_new(4 * PAGE);

    need(setrlimit(RLIMIT_MEMLOCK, &limit) == 0, "setrlimit");
    tell("4 pages", ctl(small, SHM_LOCK, NULL));
    tell("100 pages", ctl(large, SHM_LOCK, NULL));
    tell("4 pages more", ctl(more, SHM_LOCK, NULL));
    tell("again", ctl(small, SHM_LOCK, NULL));
    tell("unlocked", ctl(small, SHM_UNLOCK, NULL));
    tell("4 pages more", ctl(more, SHM_LOCK, NULL));
    need(seg_remove(small) == 0 && seg_remove(large) == 0 && seg_remove(more) == 0, "IPC_RMID");
}

static void locking_limits(void)
{
    static int pages[] = {0, 1, 6, 16};

    if (!can_switch_uid())
        return;
    for (size_t i = 0; i < LENGTH(pages); i++) {
        say("limit %d pages", pages[i]);
        as_user("user", LOCKER, LOCKER, locks_as_user, &pages[i]);
    }
}

/* What moved, and on to a time at which it may move again. */
static void say_moves(const char *what, int segment, struct shmid_ds *before)
{
    struct shmid_ds now = stat_of(segment);
    const char *atime = moved(before->shm_atime, now.shm_atime), *dtime = moved(before->shm_dtime, now.shm_dtime);
    const char *ctime = moved(before->shm_ctime, now.shm_ctime);

    say("%s: atime %s, dtime %s, ctime %s", what, atime, dtime, ctime);
    if (strcmp(atime, "moved") == 0 || strcmp(dtime, "moved") == 0 || strcmp(ctime, "moved") == 0)
        next_second();
    *before = now;
}

static void times(void)
{
    int segment = seg_new(PAGE);
    struct shmid_ds before = stat_of(segment);
    char *memory, *other;
    int go[2];
    pid_t pid;

    next_second();
    memory = must_attach(segment);
    say_moves("shmat", segment, &before);
    memory[0] = 1;
    attach(segment, (void *)1, 0), shmdt(memory + PAGE), ctl(segment, SHM_LOCK, NULL);
    say_moves("use, failures, SHM_LOCK", segment, &before);
    other = attach(segment, NULL, SHM_RDONLY);
    say_moves("read-only", segment, &before);
    need(shmdt(other) == 0, "shmdt");
    say_moves("shmdt", segment, &before);
    need(ctl(segment, IPC_SET, &before) == 0, "IPC_SET");
    say_moves("IPC_SET", segment, &before);
    need(pipe(go) == 0, "pipe");
    pid = fork();
    if (pid == 0)
        _exit((int)read(go[0], &go, 1));
    say_moves("fork", segment, &before);
    need(write(go[1], "x", 1) == 1 && waitpid(pid, NULL, 0) == pid, "waitpid");
    say_moves("the child's end", segment, &before);
    need(seg_remove(segment) == 0, "IPC_RMID");
    say_moves("IPC_RMID", segment, &before);
}

static void say_info(const char *when, int segments)
{
    struct shm_info info;
    struct shminfo limits;
    int last = ctl(0, IPC_INFO, &limits), index = ctl(INT_MAX, SHM_INFO, &info);

    say("%s: max %lu min %lu mni %lu seg %lu all %lu, %d segments, %lu pages, %lu of them there", when, limits.shmmax,
        limits.shmmin, limits.shmmni, limits.shmseg, limits.shmall, info.used_ids, info.shm_tot, info.shm_rss);
    say("last index %d, %s", index, last == index ? "by both" : "not by both");
    need(segments == info.used_ids, "segments");
}

static void infos(void)
{
    int segments[3];
    char *memory;

    say_info("none", 0);
    for (int i = 0; i < 3; i++) {
        segments[i] = seg_new((size_t)(10 * i + 1) * PAGE - 7);
        say_info("one more", i + 1);
    }
    memory = must_attach(segments[2]);
    memory[0] = memory[3 * PAGE] = memory[3 * PAGE + 1] = 1;
    say_info("two pages touched", 3);
    need(seg_remove(segments[1]) == 0, "IPC_RMID");
    say_info("one less", 2);
    need(seg_remove(segments[2]) == 0, "IPC_RMID");
    say_info("one removed, still attached", 2);
    dt("it", memory);
    say_info("one left", 1);
    need(seg_remove(segments[0]) == 0, "IPC_RMID");
    say_info("none", 0);
}

static void stats_by_index(void)
{
    static const int by_index[] = {SHM_STAT, SHM_STAT_ANY};
    int segments[2] = {shmget(SHM_KEY, 123, IPC_CREAT | 0640), seg_new(99)};
    struct shmid_ds ds;

    for (size_t i = 0; i < LENGTH(by_index); i++) {
        for (size_t k = 0; k < LENGTH(segments); k++) {
            memset(&ds, 0, sizeof ds);
            say("id %s", ctl(segments[k] & 0x7fff, by_index[i], &ds) == segments[k] ? "found" : "not found");
            say_perm(&ds.shm_perm, k == 0 ? SHM_KEY : IPC_PRIVATE, segments[k]);
            say("%zu bytes, made by %s, ctime %s", ds.shm_segsz, who(ds.shm_cpid), moved(1, ds.shm_ctime));
        }
        say("with a sequence number %s",
            ctl((segments[0] & 0x7fff) + (5 << 15), by_index[i], &ds) == segments[0] ? "found" : "not found");
        tell("unused index", ctl((segments[0] & 0x7fff) ^ 64, by_index[i], &ds));
        tell("index -1", ctl(-1, by_index[i], &ds));
        tell("largest index", ctl(INT_MAX, by_index[i], &ds));
    }
    need(seg_remove(segments[0]) == 0, "IPC_RMID");
    tell("removed", ctl(segments[0] & 0x7fff, SHM_STAT, &ds));
    need(seg_remove(segments[1]) == 0, "IPC_RMID");
}

SCENES(SCENE(bad_identifiers), SCENE(bad_pointers), SCENE(ipc_set), SCENE(locking), SCENE(locking_limits), SCENE(times),
       SCENE(infos), SCENE(stats_by_index))
