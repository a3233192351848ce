/* What the stage knows of the objects and of the workers, and what it does to both. */
#ifndef MODEL_H
#define MODEL_H
#include "differential.h"

/* A time in seconds that lies somewhere in from..to. */
struct window {
    time_t from, to;
};

/* A System V object. */
struct sysv {
    long label;
    int id;
    bool live;
    uid_t uid;
    gid_t gid;
    unsigned denied; /* the workers that were last refused, one bit each */
    struct window changed;
    union {
        struct {
            struct window sent, received;
            int sender, receiver; /* whose the last was, as an index of pids; -1 while there was none */
        };
        struct {
            struct window operated;
            bool perhaps_never;
            long nsems;
            unsigned undoers;         /* the workers whose end counts as an operation, one bit each */
            int operator[VALUES_SHOWN]; /* of the first semaphores, as an index of pids */
        };
        struct {
            struct window attached, detached;
            int creator, last; /* as indices of pids */
            long bytes;
            bool removed;
        };
    };
    bool late; /* a process that had to do with it has ended, and nobody has looked at all of it since */
};

/* What a worker has mapped of a segment: a whole attachment, or what SHM_REMAP has left of one. */
struct piece {
    long label;
    long segment;  /* its label */
    char *base;    /* where the attachment began */
    char *from, *to;
    long bytes;    /* of the attachment, in whole pages */
};

/* A POSIX queue: alive while it has a name or a descriptor. */
struct object {
    int name;
    bool linked, gone;
    unsigned denied;
    long maxmsg, msgsize;
};

/* An open description, shared by the descriptors that fork and dup made of it. */
struct description {
    int object;
    int access; /* O_RDONLY, O_WRONLY, O_RDWR or O_ACCMODE, which is neither */
    bool nonblock;
};

struct mqd {
    long label;
    int fd;
    int description;
    bool open, cloexec;
};

struct worker {
    bool alive, blocked, registered, changed;
    pid_t pid;
    int pidfd, statfd, generation, past_pid;
    uint32_t handled_shown;
    uid_t ruid, euid;
    gid_t rgid, egid;
    struct command blocked_in;
    struct mqd mqds[MAX_MQDS];
    int mqd_count;
    struct piece pieces[MAX_PIECES]; /* by address */
    int piece_count;
};

/* A pid that was a worker's, for the names in the trace. A long run may see a number come again. */
struct past_pid {
    pid_t pid;
    int worker, generation;
};

struct model {
    struct shared *shared;
    struct worker workers[WORKERS];
    struct objects {
        struct sysv *at;
        int count, room;
    } sysv[KINDS];
    struct object *objects;
    int object_count, object_room;
    struct description *descriptions;
    int description_count, description_room;
    struct past_pid *pids;
    int pid_count, pid_room;
    struct window now; /* the step in progress */
    bool idle_undo_differs, removed_lingers; /* see generate.c, idle-undo and linger */
    long calls;
};

/* model.c */
void model_start(struct model *m, struct shared *shared);
struct mqd *model_mqd(struct worker *w, long label);
struct object *model_object(struct model *m, const struct mqd *d);
int model_named_object(const struct model *m, int name);
long model_mq_bytes(struct model *m);
void model_new_pid(struct model *m, int worker, pid_t pid);
const struct past_pid *model_pid(const struct model *m, pid_t pid, int expected);
bool model_runs(const struct model *m, int worker);
int model_count(const struct model *m, bool blocked);
int model_blocked_on(const struct model *m, enum op op, long label);
void model_learn(struct model *m, const struct command *c, const struct result *r);
void model_forget_mqds(struct worker *w);
void model_forget_refusals(struct model *m, int worker);
void *grown(void *array, int count, int *room, size_t bytes);

/* model_sysv.c */
struct sysv *model_sysv(struct model *m, enum kind kind, long label);
struct sysv *model_by_id(struct model *m, enum kind kind, int id);
int model_live(const struct model *m, enum kind kind);
void learn_sysv(struct model *m, const struct command *c, const struct result *r);
void learn_blocked(struct model *m, const struct command *c);
/* The worker's process has ended, by whatever cause. */
void learn_end(struct model *m, int worker);
/* Somebody looked at an object, and at all of it: nothing is late any more. */
void model_looked(struct model *m, enum kind kind, struct sysv *o, bool at_all);

/* model_shm.c */
struct piece *model_piece(struct worker *w, long label);
bool model_attached(const struct model *m, long segment);
void learn_shm(struct model *m, const struct command *c, const struct result *r);
void learn_attachments_end(struct model *m, int worker);
void learn_fork(struct model *m, int parent);

/* stage.c: false when the run has to end */
bool stage_start(struct model *m, int cpu);
bool stage_perform(struct model *m, const struct command *c);
void stage_finish(struct model *m, long number);

/* sense.c */
bool may_block(const struct command *c);
bool senseless(struct model *m, const struct command *c);
bool handle_of(struct model *m, const struct command *c, long *handle);

/* observe.c */
void observe_before(struct model *m, const struct command *c);
void observe(struct model *m, const struct command *c);
void observe_sleepers(struct model *m);

/* process.c */
enum { GUARD_S = 20 };
enum outcome { FINISHED, BLOCKED, DIED, HUNG };
void give(struct slot *slot, const struct command *c, long handle);
enum outcome await(struct worker *w, struct slot *slot, bool blocks);
bool asleep(struct worker *w, bool every_thread);
bool spawn(struct model *m, int index, int identity);
bool adopt(struct model *m, const struct command *c, pid_t pid);
void executed(struct model *m, struct worker *w);
bool bury(struct model *m, int index);
void signal_worker(const struct worker *w, int signo);
void kill_workers(void);
time_t now_s(void);

/* trace.c, trace_sysv.c, trace_call.c */
void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
void put_flush(void);
void put_flags(long value, const struct word *words, bool with_mode);
void put_pid(struct model *m, pid_t pid, int expected);
void put_time(const char *name, time_t time, struct window event);
void put_semid_ds(const struct sysv *s, const struct semid_ds *ds);
void put_shmid_ds(struct model *m, const struct sysv *s, const struct shmid_ds *ds);
void trace_ctl(struct model *m, const struct command *c, const struct result *r);
void put_operator(struct model *m, struct sysv *set, long number, pid_t pid);
void trace_command(struct model *m, const struct command *c);
void trace_result(struct model *m, const struct command *c, const struct result *r);
void trace_signals(struct model *m, int worker);

#endif
