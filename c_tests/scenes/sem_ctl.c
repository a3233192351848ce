/* semctl: every command, its errors in the kernel's order, what it fills in, and the times it moves. */
#include "scene_ipc.h"
#include "scene_sem.h"

static const struct {
    int command;
    const char *name;
} commands[] = {{IPC_RMID, "IPC_RMID"},   {IPC_SET, "IPC_SET"},           {IPC_STAT, "IPC_STAT"},
                {IPC_INFO, "IPC_INFO"},   {SEM_STAT, "SEM_STAT"},         {SEM_INFO, "SEM_INFO"},
                {GETPID, "GETPID"},       {GETVAL, "GETVAL"},             {GETALL, "GETALL"},
                {GETNCNT, "GETNCNT"},     {GETZCNT, "GETZCNT"},           {SETVAL, "SETVAL"},
                {SETALL, "SETALL"},       {SEM_STAT_ANY, "SEM_STAT_ANY"}, {4, "4"},
                {10, "10"},               {21, "21"},                     {-1, "-1"},
                {1 << 16, "65536"}};

static void tell(const char *what, long done) { say("%s %s", what, result(done)); }

/* Every command with an identifier that is none; the buffer is good. */
static void bad_identifiers(void)
{
    static long buffer[64];
    int gone = set_new(2);

    set_remove(gone);
    for (size_t i = 0; i < LENGTH(commands); i++) {
        char line[200];
        int length = 0;
        const int ids[] = {-1, INT_MIN, INT_MAX, gone, gone + 1};
        memset(buffer, 0, sizeof buffer);
        for (size_t k = 0; k < LENGTH(ids); k++)
            length += sprintf(line + length, " %s", result(ctl_buf(ids[k], 0, commands[i].command, buffer)));
        say("%s:%s", commands[i].name, line);
    }
}

/* Every command with a semaphore number that the set does not have; most do not look at it. */
static void bad_numbers(void)
{
    static long buffer[64];
    int set = set_new(2);

    for (size_t i = 1; i < LENGTH(commands); i++) {
        int low, high, number;
        need(ctl_buf(set, 0, IPC_STAT, buffer) == 0, "IPC_STAT");
        low = ctl_buf(set, -1, commands[i].command, buffer);
        number = errno;
        need(ctl_buf(set, 0, IPC_STAT, buffer) == 0, "IPC_STAT");
        high = ctl_buf(set, 2, commands[i].command, buffer);
        say("%s: %s %s", commands[i].name, high == -1 ? result(high) : "works",
            low == -1 ? errno_name(number) : "works");
    }
    tell("IPC_RMID", ctl(set, -7, IPC_RMID));
}

static void bad_pointers(void)
{
    static const int reads_or_writes[] = {IPC_SET,  IPC_STAT, SEM_STAT, SEM_STAT_ANY,
                                          IPC_INFO, SEM_INFO, GETALL,   SETALL};
    int set = set_new(4), gone = set_new(1);

    set_remove(gone);
    for (size_t i = 0; i < LENGTH(reads_or_writes); i++) {
        int command = reads_or_writes[i];
        const char *name = "";
        for (size_t k = 0; k < LENGTH(commands); k++)
            if (commands[k].command == command)
                name = commands[k].name;
        say("%s: NULL %s, protected %s, kernel's %s", name, result(ctl_buf(set, 0, command, NULL)),
            result(ctl_buf(set, 0, command, page_end())), result(ctl_buf(set, 0, command, kernel_address())));
        say("%s: half behind %s, removed %s, id -1 %s", name, result(ctl_buf(set, 0, command, page_end() - 4)),
            result(ctl_buf(gone, 0, command, page_end())), result(ctl_buf(-1, 0, command, page_end())));
        if (command != IPC_SET && command != SETALL)
            tell("read-only", ctl_buf(set, 0, command, read_only_page()));
    }
    tell("GETALL to the edge", ctl_array(set, GETALL, (unsigned short *)page_end() - 4));
    tell("IPC_STAT to the edge", ctl_buf(set, 0, IPC_STAT, page_end() - sizeof(struct semid_ds)));
    tell("IPC_RMID with a bad pointer", ctl_buf(set, 0, IPC_RMID, kernel_address()));
}

static void bad_values(void)
{
    static const int values[] = {0, 1, 32767, 32768, 65535, -1, INT_MAX, INT_MIN};
    int set = set_new(2), gone = set_new(1);

    set_remove(gone);
    for (size_t i = 0; i < LENGTH(values); i++)
        say("SETVAL %d: %s, no such number %s, removed %s, id -1 %s", values[i],
            result(ctl_val(set, 1, values[i])), result(ctl_val(set, 2, values[i])),
            result(ctl_val(gone, 0, values[i])), result(ctl_val(-1, 0, values[i])));
    set_state(set);
    setall(set, 1, 32768, 0);
    setall(set, 32768, 1, 0);
    setall(set, 65535, 65535, 0);
    set_state(set);
    setall(set, 32767, 0, 65535);
    set_state(set);
}

static void values(void)
{
    unsigned short all[4] = {9, 9, 9, 9};
    int set = set_new(3);

    setval(set, 1, 5);
    tell("GETVAL", value(set, 1));
    tell("GETALL", ctl_array(set, GETALL, all));
    say("%d %d %d, behind it %d", all[0], all[1], all[2], all[3]);
    setall(set, 7, 8, 9);
    tell("GETALL with a number", semctl(set, 99, GETALL, (union semun){.array = all}));
    say("%d %d %d, behind it %d", all[0], all[1], all[2], all[3]);
    set_state(set);
}

/* Who did what last: operations of zero count, failures and mere looks do not. */
static void pids(void)
{
    int set = set_new(3);

    finish(spawn("adds", sem_sleeper, sem_part(set, "0+1 1+1")));
    set_state(set);
    finish(spawn("fails", sem_sleeper, sem_part(set, "0-1 1-2n")));
    set_state(set);
    finish(spawn("waits for zero", sem_sleeper, sem_part(set, "2=0")));
    set_state(set);
    finish(spawn_thread("thread", sem_sleeper, sem_part(set, "1+1")));
    set_state(set);
    finish(spawn("up and down", sem_sleeper, sem_part(set, "0+1 0-1")));
    set_state(set);
    setval(set, 0, 1);
    set_state(set);
    setval(set, 0, 1);
    setall(set, 1, 1, 1);
    set_state(set);
}

static void set_perm(int set, uid_t uid, gid_t gid, unsigned mode)
{
    struct semid_ds ds;

    need(ctl_buf(set, 0, IPC_STAT, &ds) == 0, "IPC_STAT");
    ds.sem_perm.uid = uid;
    ds.sem_perm.gid = gid;
    ds.sem_perm.mode = (unsigned short)mode;
    ds.sem_perm.cuid = 77;
    ds.sem_perm.__key = 78;
    ds.sem_nsems = 79;
    ds.sem_otime = 80;
    say("IPC_SET %d %d %o %s", (int)uid, (int)gid, mode, result(ctl_buf(set, 0, IPC_SET, &ds)));
    need(ctl_buf(set, 0, IPC_STAT, &ds) == 0, "IPC_STAT");
    say_perm(&ds.sem_perm, SEM_KEY, set);
    say("%lu semaphores, otime %ld", (unsigned long)ds.sem_nsems, (long)ds.sem_otime);
}

/* Only uid, gid and the low nine bits of the mode are taken over. */
static void ipc_set(void)
{
    int set = semget(SEM_KEY, 2, IPC_CREAT | 0600);

    set_perm(set, 5, 6, 0644);
    set_perm(set, 0, 0, 07777);
    set_perm(set, 0, 0, 0);
    set_perm(set, (uid_t)-1, 0, 0600);
    set_perm(set, 0, (gid_t)-1, 0600);
    set_state(set);
    set_remove(set);
}

static struct semid_ds stat_of(int set)
{
    struct semid_ds ds;

    need(ctl_buf(set, 0, IPC_STAT, &ds) == 0, "IPC_STAT");
    return ds;
}

/* What moved, and on to a time at which it may move again. */
static void say_moves(const char *what, int set, struct semid_ds *before)
{
    struct semid_ds now = stat_of(set);
    const char *otime = moved(before->sem_otime, now.sem_otime), *ctime = moved(before->sem_ctime, now.sem_ctime);

    say("%s: otime %s, ctime %s", what, otime, ctime);
    if (strcmp(otime, "moved") == 0 || strcmp(ctime, "moved") == 0)
        next_second();
    *before = now;
}

/* Operations move otime; SETVAL, SETALL and IPC_SET move ctime. */
static void times(void)
{
    int set = set_new(2);
    struct semid_ds before = stat_of(set);
    struct actor *actor;

    next_second();
    ctl(set, 0, GETVAL), ctl(set, 0, GETPID), ops(set, "0-1n");
    say_moves("looks and a failure", set, &before);
    ops(set, "0+1");
    say_moves("semop", set, &before);
    ops(set, "1=0");
    say_moves("waiting for zero, met", set, &before);
    ctl_val(set, 0, 0);
    say_moves("SETVAL", set, &before);
    ctl_array(set, SETALL, (unsigned short[]){0, 0});
    say_moves("SETALL", set, &before);
    need(ctl_buf(set, 0, IPC_SET, &before) == 0, "IPC_SET");
    say_moves("IPC_SET", set, &before);
    actor = sleeps("sleeper", set, "0-1");
    say_moves("going to sleep", set, &before);
    ctl_val(set, 0, 1);
    finish(actor);
    say_moves("a sleeper served by SETVAL", set, &before);
}

/* The index of the last set is what the INFO commands return, and what SEM_STAT begins to count from. */
static void infos(void)
{
    struct seminfo info;
    int sets[3], highest;

    for (size_t i = 0; i < LENGTH(sets) + 1; i++) {
        highest = ctl_buf(0, 0, IPC_INFO, &info);
        say("IPC_INFO = %d: map %d mni %d mns %d mnu %d msl %d opm %d ume %d usz %d vmx %d aem %d", highest,
            info.semmap, info.semmni, info.semmns, info.semmnu, info.semmsl, info.semopm, info.semume, info.semusz,
            info.semvmx, info.semaem);
        highest = ctl_buf(INT_MAX, -9, SEM_INFO, &info);
        say("SEM_INFO = %d: mns %d mnu %d msl %d, %d sets, %d semaphores", highest, info.semmns, info.semmnu,
            info.semmsl, info.semusz, info.semaem);
        if (i < LENGTH(sets))
            sets[i] = set_new(100 * ((int)i + 1));
    }
    set_remove(sets[1]);
    highest = ctl_buf(0, 0, SEM_INFO, &info);
    say("one less: index %s, %d sets, %d semaphores", highest == set_index(sets[2]) ? "the same" : "another",
        info.semusz, info.semaem);
    set_remove(sets[2]);
    highest = ctl_buf(0, 0, SEM_INFO, &info);
    say("one left: index %s, %d sets, %d semaphores", highest == set_index(sets[0]) ? "its own" : "another",
        info.semusz, info.semaem);
    set_remove(sets[0]);
    highest = ctl_buf(0, 0, SEM_INFO, &info);
    say("none: index %d, %d sets, %d semaphores", highest, info.semusz, info.semaem);
}

static void stats_by_index(void)
{
    int sets[2] = {semget(SEM_KEY, 3, IPC_CREAT | 0640), set_new(5)};
    static const int by_index[] = {SEM_STAT, SEM_STAT_ANY};
    struct semid_ds ds;

    for (size_t i = 0; i < LENGTH(by_index); i++) {
        for (size_t k = 0; k < LENGTH(sets); k++) {
            memset(&ds, 0, sizeof ds);
            say("id %s", ctl_buf(set_index(sets[k]), -1, by_index[i], &ds) == sets[k] ? "found" : "not found");
            say_perm(&ds.sem_perm, k == 0 ? SEM_KEY : IPC_PRIVATE, sets[k]);
            say("%lu semaphores, ctime %s", (unsigned long)ds.sem_nsems, moved(1, ds.sem_ctime));
        }
        tell("unused index", ctl_buf(set_index(sets[0]) ^ 64, 0, by_index[i], &ds));
        tell("index -1", ctl_buf(-1, 0, by_index[i], &ds));
        say("with a sequence number %s",
            ctl_buf(set_index(sets[0]) + (5 << 15), 0, by_index[i], &ds) == sets[0] ? "found" : "not found");
        tell("largest index", ctl_buf(INT_MAX, 0, by_index[i], &ds));
    }
    set_remove(sets[0]);
    tell("removed", ctl_buf(set_index(sets[0]), 0, SEM_STAT, &ds));
    set_remove(sets[1]);
}

static void removal(void)
{
    int set = semget(SEM_KEY, 2, IPC_CREAT | 0600);
    struct semid_ds ds;

    setall(set, 1, 1, 0);
    tell("IPC_RMID", ctl(set, 0, IPC_RMID));
    tell("IPC_RMID again", ctl(set, 0, IPC_RMID));
    tell("GETVAL", value(set, 0));
    tell("IPC_STAT", ctl_buf(set, 0, IPC_STAT, &ds));
    op(set, "0+1");
    op(set, "0-1");
    tell("by key", semget(SEM_KEY, 0, 0));
    set = semget(SEM_KEY, 2, IPC_CREAT | 0600);
    set_state(set);
    set_remove(set);
}

SCENES(SCENE(bad_identifiers), SCENE(bad_numbers), SCENE(bad_pointers), SCENE(bad_values), SCENE(values), SCENE(pids),
       SCENE(ipc_set), SCENE(times), SCENE(infos), SCENE(stats_by_index), SCENE(removal))
