/*
 * The differential test: a random but reproducible sequence of message queue calls, made by several
 * processes with identities of their own, written down as a trace of one line a call. Run once on the
 * kernel's queues and once on usipc's, the two traces must be equal.
 *
 *   stage (stage.c,     starts the workers and hands them one call at a time, so that the order of the
 *    process.c)         calls is given by the seed and by nothing else
 *   workers (worker.c)  make the calls (calls.c) through plain libc functions and report what they saw
 *   model (model.c)     what the stage knows of the queues from the results so far
 *   generator           draws the next command from the seed and the model (generate*.c); a recorded
 *                       script can stand in for it (script.c)
 *   trace (trace*.c)    prints a command and its result, with everything that may differ between two
 *                       runs (identifiers, pids, descriptors, times) replaced by names
 *   compare (compare.c) compares two traces, allowing for the known differences
 *
 * A command names queues and descriptors by label: the number of the command that made them. So a
 * script keeps its meaning when commands are taken out of it, which is what minimise.sh does.
 */
#ifndef DIFFERENTIAL_H
#define DIFFERENTIAL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <limits.h>
#include <mqueue.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/msg.h>
#include <sys/types.h>
#include <time.h>

#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum {
    WORKERS = 8,
    ARGS = 8,
    MAX_QUEUES = 10,      /* System V queues alive at one time */
    MAX_MQDS = 14,        /* descriptors a worker knows */
    MAX_BLOCKED = 3,      /* workers asleep in a call at one time */
    SIGNALS_KEPT = 16,    /* signals reported by one sigwait */
    HANDLED_KEPT = 64,    /* signals a handler may see between two looks of the stage */
    BUFFER_BYTES = 24576, /* a worker's message buffer: more than any message of the test */
    FD_ORDINARY = 150,    /* open in every worker: /dev/null, */
    FD_PIPE = 151,        /* one end of a pipe, */
    FD_SHARED = 152,      /* and the memory shared with the stage, for exec */
    FD_DUP2 = 160,        /* where dup2 puts a descriptor */
};

enum op {
    OP_MSGGET, OP_MSGSND, OP_MSGRCV, OP_MSGCTL,
    OP_MQ_OPEN, OP_MQ_CLOSE, OP_MQ_UNLINK, OP_MQ_SEND, OP_MQ_RECEIVE,
    OP_MQ_GETATTR, OP_MQ_SETATTR, OP_MQ_NOTIFY,
    OP_POLL, OP_DUP, OP_CLOSE, OP_DUP2_OVER, OP_CLOSE_ALL,
    OP_UMASK, OP_SETEUID, OP_SETEGID, OP_SETGROUPS,
    OP_SIGWAIT, OP_FORK, OP_EXIT, OP_EXEC,
    OP_SPAWN, OP_KILL, OP_SIGNAL, OP_SECOND, /* done by the stage itself */
    OPS
};

/* One step of the play; what a[] means depends on the op and is listed in words.c. */
struct command {
    long number;
    int worker;
    enum op op;
    long a[ARGS];
};

/* What stands for a pointer argument. */
enum pointer { POINTER_GOOD, POINTER_NULL, POINTER_KERNEL, POINTER_NONCANONICAL, POINTERS };

/* Queues and descriptors that are none, as negative labels. */
enum { NO_QUEUE_FIRST = -5, NO_MQD_FIRST = -6 };

enum timeout {
    TIMEOUT_PLAIN,      /* mq_send, mq_receive */
    TIMEOUT_NULL,       /* the timed call with a null pointer */
    TIMEOUT_PAST, TIMEOUT_ZERO, TIMEOUT_NEAR, TIMEOUT_FAR, TIMEOUT_MAX,
    TIMEOUT_NSEC_NEGATIVE, TIMEOUT_NSEC_BILLION, TIMEOUT_SEC_NEGATIVE,
    TIMEOUT_KERNEL, TIMEOUT_NONCANONICAL,
    TIMEOUTS
};

enum notify { NOTIFY_NULL, NOTIFY_NONE, NOTIFY_SIGNAL, NOTIFY_BAD, NOTIFY_TID };
enum fork_how { FORK_LIBC, FORK_BARE, FORK_CLONE };
enum dup_how { DUP_PLAIN, DUP_CLOEXEC, DUP_TWO };

/* What became of a receive buffer. */
enum body { BODY_UNTOUCHED, BODY_TINY, BODY_INTACT, BODY_TORN, BODY_DIRTY_TAIL };

struct signal_seen {
    int signo, code;
    pid_t pid;
    uid_t uid;
    int value;
};

/* What the worker saw of its call. */
struct result {
    long ret;
    int err;            /* errno, where ret is -1 */
    bool errno_kept;    /* a successful call left errno alone */
    bool written;       /* the output structure is no longer as it was filled before the call */
    struct msqid_ds ds;
    struct msginfo info;
    struct mq_attr attr;
    enum body body;
    long type;          /* of the message received */
    long from;          /* the command that sent it, where the body is long enough to say */
    unsigned char head[4];
    unsigned prio;
    bool prio_written;
    bool cloexec;
    short revents;
    uid_t ruid, euid;
    gid_t rgid, egid;
    int signals;
    struct signal_seen signal[SIGNALS_KEPT];
};

enum turn { TURN_DONE, TURN_GIVEN };

/* Shared between the stage and one worker. */
struct slot {
    _Atomic uint32_t turn;
    struct command command;
    int handle;         /* the msqid or mqd that the command's label stands for */
    struct result result;
    _Atomic uint32_t handled;
    struct signal_seen handled_signal[HANDLED_KEPT];
};

struct shared {
    pid_t stage;
    struct slot slots[WORKERS];
};

/* A time in seconds that lies somewhere in from..to. */
struct window {
    time_t from, to;
};

struct queue {
    long label;
    int id;
    bool live;
    uid_t uid;
    gid_t gid;
    unsigned denied; /* the workers that were last refused, one bit each */
    struct window changed, sent, received;
    int sender, receiver; /* whose the last was, as an index of pids; -1 while there was none */
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
    bool alive, blocked, registered;
    pid_t pid;
    int pidfd, statfd, generation, past_pid;
    uint32_t handled_shown;
    uid_t ruid, euid;
    gid_t rgid, egid;
    struct command blocked_in;
    struct mqd mqds[MAX_MQDS];
    int mqd_count;
};

/* A pid that was a worker's, for the names in the trace. A long run may see a number come again. */
struct past_pid {
    pid_t pid;
    int worker, generation;
};

struct model {
    struct shared *shared;
    struct worker workers[WORKERS];
    struct queue *queues;
    int queue_count, queue_room;
    struct object *objects;
    int object_count, object_room;
    struct description *descriptions;
    int description_count, description_room;
    struct past_pid *pids;
    int pid_count, pid_room;
    struct window now; /* the step in progress */
    long calls;
};

/* words.c: the names of things */
extern const char *const op_names[OPS];
extern const int op_args[OPS];
extern const char *const mq_names[];
extern const int mq_name_count, mq_good_names;
extern const int no_queue_ids[], no_mqd_fds[];
extern const int notify_signals[];
extern const int notify_signal_count;
struct identity { uid_t ruid, euid, suid; gid_t gid; int groups; gid_t group[3]; };
extern const struct identity identities[];
extern const int identity_count;
struct word { long value; const char *name; };
extern const struct word snd_words[], rcv_words[], get_words[], oflag_words[], ctl_words[], poll_words[];
const char *mq_name(int index);
const char *mq_name_shown(int index);
const char *errno_name(int err);
const char *signal_name(int signo);

/* model.c */
void model_start(struct model *m, struct shared *shared);
struct queue *model_queue(struct model *m, long label);
struct queue *model_queue_by_id(struct model *m, int id);
int model_live_queues(const struct model *m);
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

/* generate.c, generate_calls.c */
struct random { uint64_t state; };
uint64_t draw(struct random *r);
long draw_below(struct random *r, long bound);
bool draw_percent(struct random *r, int percent);
#define DRAW_FROM(r, array) ((array)[draw_below((r), LENGTH(array))])
struct phase {
    const char *name;
    int weight[OPS];
    int wait_percent; /* how many of the calls may sleep */
};
struct generator {
    struct random random;
    const struct phase *phase;
    long phase_left;
    long number;
    unsigned avoided;
    bool no_copy;
};
enum avoid {
    AVOID_GIVE_AWAY, AVOID_GIVE_AWAY_ROOT, AVOID_STAT_ANY, AVOID_INFO, AVOID_STALE_ID, AVOID_ODD_CMD,
    AVOID_DUP, AVOID_CLOSE, AVOID_CLOSE_ALL, AVOID_RAW_FORK, AVOID_EXEC, AVOID_EXEC_REGISTERED, AVOID_IDENTITY,
    AVOID_POLL, AVOID_FAULT, AVOID_ODD_OFLAGS, AVOID_LONG_MQ, AVOID_NOTIFY, AVOID_WAIT,
    AVOIDS
};
bool generator_avoid(struct generator *g, const char *name);
bool avoided(const struct generator *g, enum avoid what);
void generate(struct generator *g, struct model *m, struct command *c);
void generate_call(struct generator *g, struct model *m, struct command *c);
void draw_owner(struct generator *g, struct model *m, struct command *c);
bool generate_partner(struct generator *g, struct model *m, struct command *c);
/* A worker that can be handed a call (alive) or whose place is free; -1 where there is none. */
int draw_worker(struct generator *g, const struct model *m, bool alive);
bool may_wait(const struct generator *g, struct model *m, struct random *r);

/* stage.c: false when the run has to end */
bool stage_start(struct model *m, int cpu);
bool stage_perform(struct model *m, const struct command *c);
void stage_finish(struct model *m, long number);
bool may_block(const struct command *c);

/* process.c */
enum { GUARD_S = 20 };
enum outcome { FINISHED, BLOCKED, DIED, HUNG };
void give(struct slot *slot, const struct command *c, int handle);
enum outcome await(struct worker *w, struct slot *slot, bool blocks);
bool asleep(struct worker *w, bool every_thread);
bool spawn(struct model *m, int index, int identity);
bool adopt(struct model *m, const struct command *c, pid_t pid);
void executed(struct model *m, struct worker *w);
bool bury(struct model *m, int index);
void signal_worker(const struct worker *w, int signo);
void kill_workers(void);
time_t now_s(void);

/* worker.c, calls.c */
void worker_main(struct shared *shared, int slot) __attribute__((noreturn));
void worker_spawned(struct shared *shared, int slot, int identity) __attribute__((noreturn));
void worker_reexecuted(int slot) __attribute__((noreturn));
void make_call(const struct command *c, int handle, struct result *r);
long futex_wait(_Atomic uint32_t *word, uint32_t value, long timeout_ns);
void futex_wake(_Atomic uint32_t *word);

/* trace.c, trace_words.c */
void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
void put_flush(void);
void put_flags(long value, const struct word *words, bool with_mode);
void trace_command(struct model *m, const struct command *c);
void trace_result(struct model *m, const struct command *c, const struct result *r);
void trace_signals(struct model *m, int worker);

/* script.c */
bool script_open(const char *path, bool for_writing);
void script_write(const struct command *c);
bool script_read(struct command *c);

/* compare.c */
/* Prints the first difference that is not a known one; 0 where there is none, 2 where it cannot compare. */
int compare(const char *known_path, const char *kernel_path, const char *subject_path);

#endif
