/*
 * The end of a segment: IPC_RMID marks it, its key is free at once, its last detach destroys it, however
 * that comes. Until then it can be attached by its identifier.
 */
#include "scene_shm.h"

enum { STEP };

static int keyed(void)
{
    int segment = shmget(SHM_KEY, PAGE, IPC_CREAT | IPC_EXCL | 0640);

    need(segment != -1, "shmget");
    return segment;
}

static void say_stat(int segment)
{
    struct shmid_ds ds;

    if (shmctl(segment, IPC_STAT, &ds) == -1) {
        say("IPC_STAT %s", result(-1));
        return;
    }
    say("key %s, mode %o, %lu attached",
        ds.shm_perm.__key == SHM_KEY ? "as given" : ds.shm_perm.__key ? "another" : "0",
        (unsigned)ds.shm_perm.mode, (unsigned long)ds.shm_nattch);
}

static void say_info(void)
{
    struct shm_info info;
    int last = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);

    say("last index %d, %d segments of %lu pages", last, info.used_ids, info.shm_tot);
}

static void unattached(void)
{
    int segment = keyed();

    say("IPC_RMID %s", result(seg_remove(segment)));
    say_stat(segment);
    say("IPC_RMID again %s", result(seg_remove(segment)));
    at("removed", segment, NULL, 0);
    say("by key %s", result(shmget(SHM_KEY, 0, 0)));
}

static void attached(void)
{
    struct shmid_ds ds;
    int segment = keyed(), other;
    char *memory = must_attach(segment), *again;

    strcpy(memory, "still here");
    say_stat(segment);
    say("IPC_RMID %s", result(seg_remove(segment)));
    say_stat(segment);
    say("by key %s", result(shmget(SHM_KEY, 0, 0)));
    other = keyed();
    say("another id: %d", other != segment);
    say_stat(other);
    again = at("by its id", segment, NULL, 0);
    say("%s", again);
    say_stat(segment);
    say("IPC_RMID again %s", result(seg_remove(segment)));
    dt("first", memory);
    say("%s", again);
    seg_state(segment);
    need(shmctl(segment, IPC_STAT, &ds) == 0, "IPC_STAT");
    ds.shm_perm.mode = 0600;
    say("IPC_SET %s", result(shmctl(segment, IPC_SET, &ds)));
    say_stat(segment);
    say("SHM_LOCK %s", result(shmctl(segment, SHM_LOCK, NULL)));
    say("SHM_UNLOCK %s", result(shmctl(segment, SHM_UNLOCK, NULL)));
    say("SHM_STAT %s", shmctl(segment & 0x7fff, SHM_STAT, &ds) == segment ? "works" : result(-1));
    dt("last", again);
    say_stat(segment);
    at("by its id", segment, NULL, 0);
    say_stat(other);
    need(seg_remove(other) == 0, "IPC_RMID");
}

/* ---- the last detach ---- */

struct part {
    int segment;
    char *memory;
    int way;
    struct gate gate;
};

enum { SHMDT, EXIT, _EXIT, RETURN, KILLED, TERMINATED, CRASHED, EXEC, THREAD_EXITS, MUNMAP };

static void *exits(void *argument)
{
    (void)argument;
    exit(0);
}

static void holds(void *argument)
{
    struct part *part = argument;
    pthread_t thread;

    if (part->memory == NULL)
        part->memory = must_attach(part->segment);
    say("first byte %d", part->memory[0]);
    arrive();
    await(STEP, 1);
    switch (part->way) {
    case SHMDT: dt("last", part->memory); break;
    case MUNMAP: need(munmap(part->memory, PAGE) == 0, "munmap"); break;
    case EXIT: exit(0);
    case _EXIT: _exit(0);
    case KILLED: raise(SIGKILL); break;
    case TERMINATED: raise(SIGTERM); break;
    case CRASHED: raise(SIGSEGV); break;
    case EXEC: execlp("sleep", "sleep", "1000", (char *)NULL); break;
    case THREAD_EXITS:
        pthread_create(&thread, NULL, exits, NULL);
        pause();
        break;
    default: return;
    }
    gate_close(&part->gate);
    arrive();
    for (;;)
        pause();
}

static void destroyed_by(int way, int inherited)
{
    struct part part = {keyed(), NULL, way, gate_new()};
    char *memory = must_attach(part.segment);
    struct actor *actor;

    memory[0] = 1;
    if (inherited)
        part.memory = memory;
    else
        need(shmdt(memory) == 0, "shmdt");
    actor = spawn("holder", holds, &part);
    wait_arrived(actor);
    need(seg_remove(part.segment) == 0 && (!inherited || shmdt(memory) == 0), "IPC_RMID");
    say_stat(part.segment);
    bump(STEP);
    if (way == SHMDT || way == MUNMAP || way == EXEC) {
        gate_wait(&part.gate);
        /* An exec closes the gate a moment before the lifeline: the last file first. */
        if (way == EXEC)
            sleep_ms(20);
        say_stat(part.segment);
        kill(actor->pid, SIGKILL);
    }
    finish(actor);
    say_stat(part.segment);
    at("destroyed", part.segment, NULL, 0);
    say("the key is free: %s", shmget(SHM_KEY, 0, 0) == -1 ? result(-1) : "no");
    seg_remove(keyed());
}

static void attached_by_child(int way) { destroyed_by(way, 0); }
static void inherited_by_child(int way) { destroyed_by(way, 1); }

/* A zombie holds nothing. */
static void zombie(void)
{
    struct part part = {keyed(), NULL, RETURN, gate_new()};
    struct actor *actor = spawn("holder", holds, &part);

    wait_arrived(actor);
    need(seg_remove(part.segment) == 0, "IPC_RMID");
    say_stat(part.segment);
    kill_to_zombie(actor);
    say_stat(part.segment);
    finish(actor);
}

/* Removed before it is attached anywhere else: a child inherits it, and others still get in. */
static void handed_on(void)
{
    struct part part = {keyed(), NULL, RETURN, gate_new()};
    char *memory = must_attach(part.segment);
    struct actor *first, *second;

    memory[0] = 2;
    need(seg_remove(part.segment) == 0, "IPC_RMID");
    first = spawn("attaches", holds, &part);
    wait_arrived(first);
    part.memory = memory;
    second = spawn("inherits", holds, &part);
    wait_arrived(second);
    say_stat(part.segment);
    dt("the stage's", memory);
    say_stat(part.segment);
    kill_to_zombie(first);
    say_stat(part.segment);
    bump(STEP);
    finish(second);
    say_stat(part.segment);
    finish(first);
}

/* The one who removes dies right behind it, attached: nothing is left. */
static void removes_and_dies(void *argument)
{
    struct part *part = argument;

    must_attach(part->segment);
    must_attach(part->segment);
    need(seg_remove(part->segment) == 0, "IPC_RMID");
    say_stat(part->segment);
    raise(SIGKILL);
}

static void remover_dies(void)
{
    struct part part = {keyed(), NULL, 0, gate_new()};

    finish(spawn("remover", removes_and_dies, &part));
    say_stat(part.segment);
    say_info();
}

/* Made, attached and removed at once, as many programs do: nothing but the memory is left. */
static void private_and_removed(void)
{
    char *memory[20];

    for (size_t i = 0; i < LENGTH(memory); i++) {
        int segment = seg_new((i + 1) * PAGE);
        memory[i] = must_attach(segment);
        need(seg_remove(segment) == 0, "IPC_RMID");
        memory[i][i * PAGE] = (char)i;
    }
    for (size_t i = 0; i < LENGTH(memory); i++)
        need(memory[i][i * PAGE] == (char)i, "contents");
    say_info();
    for (size_t i = 0; i < LENGTH(memory); i++)
        need(shmdt(memory[i]) == 0, "shmdt");
    say_info();
}

/* Two generations of one key in use at the same time. */
static void two_generations(void)
{
    int old = keyed(), young;
    char *was = must_attach(old), *is;

    strcpy(was, "old");
    need(seg_remove(old) == 0, "IPC_RMID");
    young = keyed();
    is = must_attach(young);
    say("\"%s\" \"%s\"", was, is);
    strcpy(is, "young");
    say("\"%s\" \"%s\"", was, is);
    dt("old", was);
    say_stat(old);
    say_stat(young);
    dt("young", is);
    is = must_attach(young);
    say("\"%s\"", is);
    need(seg_remove(young) == 0, "IPC_RMID");
}

#define FOR_WAYS(function)                                                                             \
    SCENE_WITH(function, SHMDT), SCENE_WITH(function, EXIT), SCENE_WITH(function, _EXIT),              \
        SCENE_WITH(function, RETURN), SCENE_WITH(function, KILLED), SCENE_WITH(function, TERMINATED),  \
        SCENE_WITH(function, CRASHED), SCENE_WITH(function, EXEC), SCENE_WITH(function, THREAD_EXITS), \
        SCENE_WITH(function, MUNMAP)

SCENES(SCENE(unattached), SCENE(attached), FOR_WAYS(attached_by_child), FOR_WAYS(inherited_by_child), SCENE(zombie),
       SCENE(handed_on), SCENE(remover_dies), SCENE(private_and_removed), SCENE(two_generations))
