/*
 * openers: who can open(2), delete and rename the files behind a queue. A class of users (owner, group,
 * others) that has neither read nor write permission on the object cannot open its file, before and after
 * a change of the mode; a stranger can never delete or rename it. Needs root and a namespace directory of
 * root's with mode 1777.
 */
#include "ground.h"
#include <grp.h>

enum { ALICE = 20001, BOB = 20002, STAFF = 20010, GUESTS = 20011, KEY = 0x0be4 };

struct plan {
    mode_t mode;
    int by_msgctl; /* the mode is set by IPC_SET, after creation with 0666 */
};

static const char *const rooms[] = {"msg", "mq"};
static int opened, refused, files;

static void become(uid_t uid, gid_t gid)
{
    gid_t groups[1] = {gid};

    NEED(setgroups(1, groups) == 0 && setgid(gid) == 0 && setuid(uid) == 0, "setuid");
}

static int make_queues(void *argument)
{
    const struct plan *plan = argument;
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 8};
    int id;

    become(ALICE, STAFF);
    umask(0);
    id = msgget(KEY, IPC_CREAT | IPC_EXCL | (plan->by_msgctl ? 0666 : (int)plan->mode));
    NEED(id != -1 && mq_open("/openers", O_CREAT | O_EXCL | O_RDWR, plan->mode, &attr) != (mqd_t)-1, "making");
    if (plan->by_msgctl) {
        struct msqid_ds ds;

        NEED(msgctl(id, IPC_STAT, &ds) == 0, "IPC_STAT");
        ds.msg_perm.mode = plan->mode;
        NEED(msgctl(id, IPC_SET, &ds) == 0, "IPC_SET");
    }
    return 0;
}

static int remove_queues(void *unused)
{
    (void)unused;
    become(ALICE, STAFF);
    NEED(msgctl(msgget(KEY, 0), IPC_RMID, NULL) == 0 && mq_unlink("/openers") == 0, "removing");
    return 0;
}

static void each_file(void (*try)(int room, const char *name, int allowed), int allowed)
{
    size_t i;

    for (i = 0; i < LENGTH(rooms); i++) {
        char path[4096];
        struct dirent *entry;
        int room;
        DIR *stream;

        snprintf(path, sizeof path, "%s/%s", getenv("USIPC_DIR"), rooms[i]);
        room = open(path, O_RDONLY | O_DIRECTORY);
        /* In a namespace of many users everybody may look for an object. */
        NEED(room != -1 && (stream = fdopendir(dup(room))), "%s", path);
        while ((entry = readdir(stream)))
            if (entry->d_name[0] != '.')
                try(room, entry->d_name, allowed);
        closedir(stream);
        close(room);
    }
}

static void try_open(int room, const char *name, int allowed)
{
    static const int flags[] = {O_RDONLY, O_WRONLY, O_RDWR};
    size_t i;

    files++;
    for (i = 0; i < LENGTH(flags); i++) {
        int fd = openat(room, name, flags[i] | O_NONBLOCK | O_NOFOLLOW);

        NEED(fd == -1 || allowed, "a user without permission opened %s", name);
        NEED(fd != -1 || errno == EACCES, "opening %s", name);
        opened += fd != -1;
        refused += fd == -1;
        close(fd);
    }
}

static void try_delete(int room, const char *name, int allowed)
{
    (void)allowed;
    NEED(unlinkat(room, name, 0) == -1 && (errno == EPERM || errno == EACCES), "a stranger deleted %s", name);
    NEED(renameat(room, name, room, "elsewhere") == -1 && (errno == EPERM || errno == EACCES), "a stranger renamed %s",
         name);
}

struct who {
    uid_t uid;
    gid_t gid;
    int shift; /* of the class's bits in the mode */
    mode_t mode;
};

static int try_as(void *argument)
{
    const struct who *who = argument;
    int allowed = (who->mode >> who->shift & 6) != 0;

    become(who->uid, who->gid);
    each_file(try_open, allowed);
    NEED(files >= 2, "%d files behind two queues", files);
    /* If permission means anything, a class that has it can open the files. */
    NEED(!allowed || opened > 0, "permission %03o, but nothing could be opened", (unsigned)who->mode);
    if (who->uid != ALICE)
        each_file(try_delete, 0);
    return 0;
}

int main(void)
{
    static const mode_t modes[] = {0000, 0600, 0060, 0006, 0400, 0200, 0040, 0020, 0004, 0002, 0660, 0606, 0640, 0604};
    size_t i;
    int by_msgctl;

    /* Root has to be first here: the rooms are then root's. */
    NEED(msgget(KEY, 0) == -1 && errno == ENOENT, "msgget");
    for (by_msgctl = 0; by_msgctl < 2; by_msgctl++)
        for (i = 0; i < LENGTH(modes); i++) {
            struct plan plan = {modes[i], by_msgctl};
            struct who whos[] = {{ALICE, STAFF, 6, modes[i]}, {BOB, STAFF, 3, modes[i]}, {BOB, GUESTS, 0, modes[i]}};
            size_t k;

            reap_well(start(make_queues, &plan), "the maker");
            for (k = 0; k < LENGTH(whos); k++) {
                char what[64];

                snprintf(what, sizeof what, "mode %03o, bits %d, by msgctl %d", (unsigned)modes[i], whos[k].shift,
                         by_msgctl);
                reap_well(start(try_as, &whos[k]), what);
            }
            reap_well(start(remove_queues, NULL), "the remover");
        }
    return 0;
}
