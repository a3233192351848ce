/*
 * Segments and other users: what each class may do under each mode, whom IPC_SET lets in and shuts out,
 * and which error comes first when permission is not the only thing missing.
 */
#include "scene_shm.h"

enum { OWNER = 1002, GROUP = 1003 };

static char *line_end;

static void note(const char *what, int done)
{
    line_end += sprintf(line_end, " %s%s%s", what, done == -1 ? ":" : "", done == -1 ? errno_name(errno) : "");
}

static int attaches(int segment, int flags)
{
    char *memory = attach(segment, NULL, flags);

    if (memory == FAILED)
        return -1;
    need(memory[0] == 9 && shmdt(memory) == 0, "shmdt");
    return 0;
}

/* Everything that asks for permission, one after the other. */
static void try_all(void *argument)
{
    char line[1000] = "";
    struct shmid_ds ds = {0};
    int segment = *(int *)argument;

    line_end = line;
    note("get", shmget(SHM_KEY, 0, 0));
    note("get-r", shmget(SHM_KEY, 0, 0444));
    note("get-w", shmget(SHM_KEY, 0, 0222));
    note("get-rw", shmget(SHM_KEY, 0, 0666));
    note("get-x", shmget(SHM_KEY, 0, 0111));
    note("at", attaches(segment, 0));
    note("at-r", attaches(segment, SHM_RDONLY));
    note("at-x", attaches(segment, SHM_EXEC));
    note("at-rx", attaches(segment, SHM_RDONLY | SHM_EXEC));
    note("STAT", shmctl(segment, IPC_STAT, &ds));
    note("SHM_STAT", shmctl(segment & 0x7fff, SHM_STAT, &ds) == segment ? 0 : -1);
    note("ANY", shmctl(segment & 0x7fff, SHM_STAT_ANY, &ds) == segment ? 0 : -1);
    note("UNLOCK", shmctl(segment, SHM_UNLOCK, NULL));
    note("LOCK", shmctl(segment, SHM_LOCK, NULL));
    note("SET", shmctl(segment, IPC_SET, &ds));
    say("%s", line + 1);
}

static void set_perm(int segment, uid_t uid, gid_t gid, unsigned mode)
{
    struct shmid_ds ds;

    need(shmctl(segment, IPC_STAT, &ds) == 0, "IPC_STAT");
    ds.shm_perm.uid = uid;
    ds.shm_perm.gid = gid;
    ds.shm_perm.mode = (unsigned short)mode;
    need(shmctl(segment, IPC_SET, &ds) == 0, "IPC_SET");
}

static int new_keyed(uid_t uid, gid_t gid, unsigned mode)
{
    int segment = shmget(SHM_KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600);
    char *memory = must_attach(segment);

    memory[0] = 9;
    need(shmdt(memory) == 0, "shmdt");
    set_perm(segment, uid, gid, mode);
    return segment;
}

static void classes(void)
{
    static const unsigned modes[] = {0666, 0600, 0644, 0622, 0640, 0464, 0246, 0060, 0006, 0000, 0777, 0755, 0111};
    int segment;

    if (!can_switch_uid())
        return;
    segment = new_keyed(OWNER, GROUP, 0600);
    for (size_t i = 0; i < LENGTH(modes); i++) {
        say("mode %03o", modes[i]);
        set_perm(segment, OWNER, GROUP, modes[i]);
        as_user("owner", OWNER, STRANGER, try_all, &segment);
        set_perm(segment, OWNER, GROUP, modes[i]);
        as_user("group", STRANGER, GROUP, try_all, &segment);
        as_user("other", STRANGER, STRANGER, try_all, &segment);
    }
    set_perm(segment, OWNER, GROUP, 0);
    finish(spawn("root", try_all, &segment));
    need(seg_remove(segment) == 0, "IPC_RMID");
}

/* It is capabilities that make root mighty. */
static void without_capabilities(void *argument)
{
    drop_capabilities();
    try_all(argument);
    say("IPC_RMID %s", result(seg_remove(*(int *)argument)));
}

static void made_by_user(void *argument)
{
    char *memory = must_attach(shmget(SHM_KEY, PAGE, IPC_CREAT | IPC_EXCL | *(int *)argument));

    memory[0] = 9;
}

static void root_without_capabilities(void)
{
    static int modes[] = {0600, 0644, 0660, 0666};

    if (!can_switch_uid())
        return;
    for (size_t i = 0; i < LENGTH(modes); i++) {
        int segment;
        as_user("maker", OWNER, OWNER, made_by_user, &modes[i]);
        segment = shmget(SHM_KEY, 0, 0);
        say("mode %03o", (unsigned)modes[i]);
        finish(spawn("root", without_capabilities, &segment));
        need(seg_remove(segment) == 0, "IPC_RMID");
    }
}

/* Readers may attach with SHM_RDONLY and not write; what the writers write, they see. */
static void reads_only(void *argument)
{
    int segment = *(int *)argument;
    char *memory = at("RDONLY", segment, NULL, SHM_RDONLY);

    at("to write", segment, NULL, 0);
    say("first byte %d", memory[0]);
    touch("writing", memory, WRITING);
    say("mprotect to write %s", result(mprotect(memory, PAGE, PROT_READ | PROT_WRITE)));
    arrive();
    await(0, 1);
    say("first byte %d", memory[0]);
}

static void readers(void)
{
    struct as_user user = {STRANGER, STRANGER, reads_only, NULL};
    struct actor *actor;
    char *memory;
    int segment;

    if (!can_switch_uid())
        return;
    segment = new_keyed(0, 0, 0644);
    user.arg = &segment;
    actor = spawn("reader", act_as_user, &user);
    wait_arrived(actor);
    memory = must_attach(segment);
    memory[0] = 10;
    seg_state(segment);
    bump(0);
    finish(actor);
    seg_state(segment);
    need(seg_remove(segment) == 0, "IPC_RMID");
}

/* What is attached stays attached and writable when the permission is gone. */
static void keeps_it(void *argument)
{
    int segment = *(int *)argument;
    char *memory = at("allowed", segment, NULL, 0);

    arrive();
    await(0, 1);
    memory[0] = 11;
    at("no longer", segment, NULL, 0);
    at("no longer, RDONLY", segment, NULL, SHM_RDONLY);
    dt("what it has", memory);
}

static void permission_while_attached(void)
{
    struct as_user user = {STRANGER, STRANGER, keeps_it, NULL};
    struct actor *actor;
    int segment;

    if (!can_switch_uid())
        return;
    segment = new_keyed(0, 0, 0666);
    user.arg = &segment;
    actor = spawn("stranger", act_as_user, &user);
    wait_arrived(actor);
    set_perm(segment, 0, 0, 0600);
    seg_state(segment);
    bump(0);
    finish(actor);
    seg_state(segment);
    say("first byte %d", must_attach(segment)[0]);
    need(seg_remove(segment) == 0, "IPC_RMID");
}

/* The creator stays in the owner's class, and may remove, when the segment is given to another. */
static void gives_away(void *argument)
{
    int segment = shmget(SHM_KEY, PAGE, IPC_CREAT | 0600);
    struct shmid_ds ds;

    (void)argument;
    must_attach(segment)[0] = 9;
    set_perm(segment, OTHER, OTHER, 0600);
    say("given away; shmat %s", result(attaches(segment, 0)));
    need(shmctl(segment, IPC_STAT, &ds) == 0, "IPC_STAT");
    say_perm(&ds.shm_perm, SHM_KEY, segment);
}

static void takes_back(void *argument)
{
    int segment = shmget(SHM_KEY, 0, 0600);

    (void)argument;
    say("shmat %s", result(attaches(segment, 0)));
    say("IPC_RMID %s", result(seg_remove(segment)));
}

static void new_owner(void *argument)
{
    (void)argument;
    set_perm(shmget(SHM_KEY, 0, 0600), OTHER, OTHER, 0666);
    say("shmat %s", result(attaches(shmget(SHM_KEY, 0, 0600), 0)));
}

static void tries_removal(void *argument)
{
    int segment = shmget(SHM_KEY, 0, 0);
    struct shmid_ds ds;

    (void)argument;
    need(shmctl(segment, IPC_STAT, &ds) == 0, "IPC_STAT");
    say("IPC_SET %s, IPC_RMID %s", result(shmctl(segment, IPC_SET, &ds)), result(seg_remove(segment)));
}

static void owner_and_creator(void)
{
    if (!can_switch_uid())
        return;
    as_user("creator", STRANGER, STRANGER, gives_away, NULL);
    as_user("new owner", OTHER, OTHER, new_owner, NULL);
    as_user("anybody", OWNER, OWNER, tries_removal, NULL);
    as_user("creator", STRANGER, STRANGER, takes_back, NULL);
    say("by key %s", result(shmget(SHM_KEY, 0, 0)));
}

static void get_errors_first(void *argument)
{
    (void)argument;
    say("shmget too large %s", result(shmget(SHM_KEY, PAGE + 1, 0600)));
    say("shmget exclusive %s", result(shmget(SHM_KEY, 1, IPC_CREAT | IPC_EXCL | 0600)));
    say("shmget %s", result(shmget(SHM_KEY, 1, IPC_CREAT | 0600)));
}

static void errors_first(void *argument)
{
    int segment = *(int *)argument;

    at("unaligned", segment, (void *)1, 0);
    at("taken", segment, taken_place(1), 0);
    at("NULL, REMAP", segment, NULL, SHM_REMAP);
    at("NULL", segment, NULL, 0);
    say("IPC_STAT NULL %s", result(shmctl(segment, IPC_STAT, NULL)));
    say("IPC_SET NULL %s", result(shmctl(segment, IPC_SET, NULL)));
    say("SHM_LOCK %s", result(shmctl(segment, SHM_LOCK, NULL)));
    say("IPC_RMID %s", result(seg_remove(segment)));
    say("unknown command %s", result(shmctl(segment, 77, NULL)));
}

static void errors_in_order(void)
{
    int segment;

    if (!can_switch_uid())
        return;
    segment = new_keyed(0, 0, 0600);
    as_user("stranger", STRANGER, STRANGER, get_errors_first, NULL);
    as_user("stranger", STRANGER, STRANGER, errors_first, &segment);
    need(seg_remove(segment) == 0, "IPC_RMID");
    as_user("stranger, removed", STRANGER, STRANGER, errors_first, &segment);
}

/* A stranger's last detach destroys what its owner has removed. */
static void holds_on(void *argument)
{
    at("allowed", *(int *)argument, NULL, SHM_RDONLY);
    arrive();
    await(0, 1);
}

static void destroyed_by_a_stranger(int killed)
{
    struct as_user user = {STRANGER, STRANGER, holds_on, NULL};
    struct actor *actor;
    int segment;

    if (!can_switch_uid())
        return;
    segment = new_keyed(0, 0, 0644);
    user.arg = &segment;
    actor = spawn("stranger", act_as_user, &user);
    wait_arrived(actor);
    need(seg_remove(segment) == 0, "IPC_RMID");
    seg_state(segment);
    if (killed)
        kill_to_zombie(actor);
    else
        bump(0);
    finish(actor);
    seg_state(segment);
}

enum { EXIT, KILLED };

SCENES(SCENE(classes), SCENE(root_without_capabilities), SCENE(readers), SCENE(permission_while_attached),
       SCENE(owner_and_creator), SCENE(errors_in_order), SCENE_WITH(destroyed_by_a_stranger, EXIT),
       SCENE_WITH(destroyed_by_a_stranger, KILLED))
