/*
 * Semaphore sets and other users: what each class may do under each mode, whom IPC_SET lets in and
 * shuts out, and which error comes first when permission is not the only thing missing.
 */
#include "scene_ipc.h"
#include "scene_sem.h"

enum { OWNER = 1002, GROUP = 1003 };

static char *line_end;

static void note(const char *what, int done)
{
    line_end += sprintf(line_end, " %s%s%s", what, done == -1 ? ":" : "", done == -1 ? errno_name(errno) : "");
}

/* Everything that asks for permission, one after the other. */
static void try_all(void *argument)
{
    unsigned short values[2] = {0, 0};
    char line[1000] = "";
    struct semid_ds ds = {0};
    int set = *(int *)argument;

    line_end = line;
    note("get", semget(SEM_KEY, 0, 0));
    note("get-r", semget(SEM_KEY, 0, 0444));
    note("get-w", semget(SEM_KEY, 0, 0222));
    note("get-rw", semget(SEM_KEY, 0, 0666));
    note("get-x", semget(SEM_KEY, 0, 0111));
    note("zero", ops(set, "0=0n"));
    note("add", ops(set, "0+1n"));
    note("both", ops(set, "1=0n 0-1n"));
    note("GETVAL", ctl(set, 0, GETVAL));
    note("GETPID", ctl(set, 0, GETPID) == -1 ? -1 : 0);
    note("GETNCNT", ctl(set, 0, GETNCNT));
    note("GETZCNT", ctl(set, 0, GETZCNT));
    note("GETALL", ctl_array(set, GETALL, values));
    note("SETVAL", ctl_val(set, 0, 0));
    note("SETALL", ctl_array(set, SETALL, values));
    note("STAT", ctl_buf(set, 0, IPC_STAT, &ds));
    note("SEM_STAT", ctl_buf(set_index(set), 0, SEM_STAT, &ds) == set ? 0 : -1);
    note("ANY", ctl_buf(set_index(set), 0, SEM_STAT_ANY, &ds) == set ? 0 : -1);
    note("SET", ctl_buf(set, 0, IPC_SET, &ds));
    say("%s", line + 1);
}

static void set_perm(int set, uid_t uid, gid_t gid, unsigned mode)
{
    struct semid_ds ds;

    need(ctl_buf(set, 0, IPC_STAT, &ds) == 0, "IPC_STAT");
    ds.sem_perm.uid = uid;
    ds.sem_perm.gid = gid;
    ds.sem_perm.mode = (unsigned short)mode;
    need(ctl_buf(set, 0, IPC_SET, &ds) == 0, "IPC_SET");
}

static int new_keyed(uid_t uid, gid_t gid, unsigned mode)
{
    int set = semget(SEM_KEY, 2, IPC_CREAT | IPC_EXCL | 0600);

    need(set != -1, "semget");
    set_perm(set, uid, gid, mode);
    return set;
}

static void classes(void)
{
    static const unsigned modes[] = {0666, 0600, 0644, 0622, 0640, 0464, 0246, 0060, 0006, 0000, 0777, 0111};
    int set;

    if (!can_switch_uid())
        return;
    set = new_keyed(OWNER, GROUP, 0600);
    for (size_t i = 0; i < LENGTH(modes); i++) {
        say("mode %03o", modes[i]);
        set_perm(set, OWNER, GROUP, modes[i]);
        as_user("owner", OWNER, STRANGER, try_all, &set);
        set_perm(set, OWNER, GROUP, modes[i]);
        as_user("group", STRANGER, GROUP, try_all, &set);
        as_user("other", STRANGER, STRANGER, try_all, &set);
    }
    set_perm(set, OWNER, GROUP, 0);
    finish(spawn("root", try_all, &set));
    set_remove(set);
}

/* A member of the group by a supplementary group only, and root's own group. */
static void in_a_group(void *argument)
{
    gid_t group = GROUP;

    need(setgroups(1, &group) == 0 && setgid(STRANGER) == 0 && setuid(STRANGER) == 0, "setgroups");
    try_all(argument);
}

static void supplementary_groups(void)
{
    int set;

    if (!can_switch_uid())
        return;
    set = new_keyed(OWNER, GROUP, 0640);
    finish(spawn("member", in_a_group, &set));
    set_perm(set, OWNER, STRANGER, 0640);
    finish(spawn("of the other", in_a_group, &set));
    set_perm(set, OWNER, OTHER, 0640);
    finish(spawn("no member", in_a_group, &set));
    as_user("of the creator's group", STRANGER, 0, try_all, &set);
    set_remove(set);
}

/* It is capabilities that make root mighty. */
static void without_capabilities(void *argument)
{
    drop_capabilities();
    try_all(argument);
    say("IPC_RMID %s", result(ctl(*(int *)argument, 0, IPC_RMID)));
}

static void made_by_user(void *argument)
{
    unsigned mode = *(unsigned *)argument;

    need(semget(SEM_KEY, 2, IPC_CREAT | IPC_EXCL | (int)mode) != -1, "semget");
}

static void root_without_capabilities(void)
{
    static unsigned modes[] = {0600, 0644, 0660, 0666};

    if (!can_switch_uid())
        return;
    for (size_t i = 0; i < LENGTH(modes); i++) {
        int set;
        as_user("maker", OWNER, OWNER, made_by_user, &modes[i]);
        set = semget(SEM_KEY, 0, 0);
        say("mode %03o", modes[i]);
        finish(spawn("root", without_capabilities, &set));
        set_remove(set);
    }
}

/* Only effective ids count, and they may change between two calls. */
static void changes_ids(void *argument)
{
    int set = *(int *)argument;

    need(setgroups(0, NULL) == 0 && setegid(STRANGER) == 0, "setegid");
    say("as root %s", result(ops(set, "0+1")));
    need(seteuid(STRANGER) == 0, "seteuid");
    say("as stranger %s", result(ops(set, "0+1")));
    need(seteuid(0) == 0 && seteuid(OWNER) == 0, "seteuid");
    say("as owner %s", result(ops(set, "0+1")));
    need(seteuid(0) == 0 && setegid(GROUP) == 0 && seteuid(STRANGER) == 0, "seteuid");
    say("as group %s, reading %s", result(ops(set, "0+1")), result(value(set, 0)));
    need(seteuid(0) == 0 && setresuid(OWNER, STRANGER, 0) == 0, "setresuid");
    say("real owner, effective stranger %s", result(ops(set, "0+1")));
}

static void effective_ids(void)
{
    int set;

    if (!can_switch_uid())
        return;
    set = new_keyed(OWNER, GROUP, 0640);
    finish(spawn("actor", changes_ids, &set));
    say("value %d", value(set, 0));
    set_remove(set);
}

/* The creator stays in the owner's class, and may remove, when the set is given to another. */
static void gives_away(void *argument)
{
    int set = semget(SEM_KEY, 2, IPC_CREAT | 0600);
    struct semid_ds ds;

    (void)argument;
    say("SETVAL %s", result(ctl_val(set, 0, 5)));
    set_perm(set, OTHER, OTHER, 0600);
    say("given away; SETVAL %s", result(ctl_val(set, 0, 6)));
    need(ctl_buf(set, 0, IPC_STAT, &ds) == 0, "IPC_STAT");
    say_perm(&ds.sem_perm, SEM_KEY, set);
}

static void takes_back(void *argument)
{
    int set = semget(SEM_KEY, 0, 0600);

    (void)argument;
    say("SETVAL %s", result(ctl_val(set, 0, 7)));
    say("IPC_RMID %s", result(ctl(set, 0, IPC_RMID)));
}

static void new_owner(void *argument)
{
    (void)argument;
    set_perm(semget(SEM_KEY, 0, 0600), OTHER, OTHER, 0666);
    say("SETVAL %s", result(ctl_val(semget(SEM_KEY, 0, 0600), 0, 7)));
}

static void tries_removal(void *argument)
{
    int set = semget(SEM_KEY, 0, 0);
    struct semid_ds ds;

    (void)argument;
    need(ctl_buf(set, 0, IPC_STAT, &ds) == 0, "IPC_STAT");
    say("IPC_SET %s, IPC_RMID %s", result(ctl_buf(set, 0, IPC_SET, &ds)), result(ctl(set, 0, IPC_RMID)));
}

static void owner_and_creator(void)
{
    if (!can_switch_uid())
        return;
    as_user("creator", STRANGER, STRANGER, gives_away, NULL);
    as_user("new owner", OTHER, OTHER, new_owner, NULL);
    as_user("anybody", OWNER, OWNER, tries_removal, NULL);
    as_user("creator", STRANGER, STRANGER, takes_back, NULL);
    say("semget %s", result(semget(SEM_KEY, 0, 0)));
}

static void get_errors_first(void *argument)
{
    (void)argument;
    say("semget too many %s", result(semget(SEM_KEY, 3, 0600)));
    say("semget exclusive %s", result(semget(SEM_KEY, 1, IPC_CREAT | IPC_EXCL | 0600)));
    say("semget %s", result(semget(SEM_KEY, 1, IPC_CREAT | 0600)));
}

static void errors_first(void *argument)
{
    int set = *(int *)argument;
    unsigned short values[2] = {40000, 0};

    op(set, "2+1");
    op(set, "0-1n");
    op(set, "0+32767 1-1n");
    op_for(set, "0=0", -5000);
    say("NULL operations %s", result(semop(set, NULL, 1)));
    say("SETVAL too large %s", result(ctl_val(set, 0, 32768)));
    say("SETVAL out of range %s", result(ctl_val(set, 2, 0)));
    say("GETVAL out of range %s", result(ctl(set, 2, GETVAL)));
    say("SETALL too large %s", result(ctl_array(set, SETALL, values)));
    say("SETALL NULL %s", result(ctl_array(set, SETALL, NULL)));
    say("GETALL NULL %s", result(ctl_array(set, GETALL, NULL)));
    say("IPC_STAT NULL %s", result(ctl_buf(set, 0, IPC_STAT, NULL)));
    say("IPC_SET NULL %s", result(ctl_buf(set, 0, IPC_SET, NULL)));
    say("unknown command %s", result(ctl(set, 0, 77)));
}

static void errors_in_order(void)
{
    int set;

    if (!can_switch_uid())
        return;
    set = new_keyed(0, 0, 0600);
    as_user("stranger", STRANGER, STRANGER, get_errors_first, NULL);
    as_user("stranger", STRANGER, STRANGER, errors_first, &set);
    set_remove(set);
    as_user("stranger, removed", STRANGER, STRANGER, errors_first, &set);
}

/* ---- asleep ---- */

static void sleeps_as_user(void *argument)
{
    become_user(STRANGER, STRANGER);
    sem_sleeper(argument);
}

/* Readers may wait for zero. When they are asleep nobody asks for their permission again. */
static void permission_while_asleep(void)
{
    struct actor *zero, *takes;
    int set;

    if (!can_switch_uid())
        return;
    set = new_keyed(0, 0, 0666);
    ctl_val(set, 1, 1);
    wait_blocked(takes = spawn("takes", sleeps_as_user, sem_part(set, "0-1")));
    set_perm(set, 0, 0, 0644);
    wait_blocked(zero = spawn("zero", sleeps_as_user, sem_part(set, "1=0")));
    finish(spawn("wants to take", sleeps_as_user, sem_part(set, "0-1")));
    set_perm(set, 0, 0, 0600);
    finish(spawn("wants zero", sleeps_as_user, sem_part(set, "1=0")));
    set_state(set);
    op(set, "0+1 1-1");
    finish(takes);
    finish(zero);
    set_state(set);
    set_remove(set);
}

/* A stranger's undo is carried out though the set was closed to strangers meanwhile. */
static void adds_and_dies(void *argument)
{
    become_user(STRANGER, STRANGER);
    op(*(int *)argument, "0+1u 1-1u");
    arrive();
    for (;;)
        pause();
}

static void undo_without_permission(void)
{
    struct actor *actor;
    int set;

    if (!can_switch_uid())
        return;
    set = new_keyed(0, 0, 0666);
    setall(set, 5, 5, 0);
    wait_blocked(actor = spawn("stranger", adds_and_dies, &set));
    set_state(set);
    set_perm(set, 0, 0, 0600);
    kill_to_zombie(actor);
    set_state(set);
    finish(actor);
    set_remove(set);
}

SCENES(SCENE(classes), SCENE(supplementary_groups), SCENE(root_without_capabilities), SCENE(effective_ids),
       SCENE(owner_and_creator), SCENE(errors_in_order), SCENE(permission_while_asleep), SCENE(undo_without_permission))
