/*
 * The differential test: a random but reproducible sequence of calls on message queues, semaphores and shared
 * memory, made by several processes with identities of their own, written down as a trace of one line a call.
 * Run once on the kernel's objects and once on usipc's, the two traces must be equal.
 *
 *   stage (stage.c,     starts the workers and hands them one call at a time, so that the order of the
 *    process.c)         calls is given by the seed and by nothing else
 *                       which commands make sense is in sense.c
 *   workers (worker.c)  make the calls (calls*.c) through plain libc functions and report what they saw
 *   model (model*.c)    what the stage knows of the objects from the results so far
 *   generator           draws the next command from the seed and the model (generate*.c, phases.c); a
 *                       recorded script can stand in for it (script.c)
 *   observer            what the stage itself sees of an object after some of the steps (observe.c)
 *   trace (trace*.c)    prints a command and its result, with everything that may differ between two
 *                       runs (identifiers, pids, descriptors, times) replaced by names
 *   compare (compare.c) compares two traces, allowing for the known differences
 *
 * A command names objects, descriptors and attachments by label: the number of the command that made them. So a
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
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/types.h>
#include <time.h>

#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

/* glibc leaves it to the program to declare. */
union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *info;
};

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum {
    WORKERS = 10,
    OPERATIONS = 6,       /* different ones in a call of semop */
    ARGS = 4 + 3 * OPERATIONS,
    MAX_MQDS = 14,        /* descriptors a worker knows */
    MAX_PIECES = 24,      /* attachments of a worker, counting what SHM_REMAP leaves of one */
    MAX_BLOCKED = 5,      /* workers asleep in a call at one time */
    SIGNALS_KEPT = 16,    /* signals reported by one sigwait */
    HANDLED_KEPT = 64,    /* signals a handler may see between two looks of the stage */
    BUFFER_BYTES = 24576, /* a worker's message buffer: more than any message of the test */
    FD_ORDINARY = 150,    /* open in every worker: /dev/null, */
    FD_PIPE = 151,        /* one end of a pipe, */
    FD_SHARED = 152,      /* and the memory shared with the stage, for exec */
    FD_DUP2 = 160,        /* where dup2 puts a descriptor */
    VALUES_SHOWN = 8,     /* of the semaphores of a set */
    MAX_NSEMS = 32000,    /* semmsl */
    PAGE = 4096,
    IPC_64 = 0x100,       /* glibc sets it in every command, so that it makes no difference */
};

/* Where workers attach at chosen addresses: nothing else is mapped there, on any processor that is served. */
#define REGION ((char *)0x2000000000)
enum { PLACES = 8, PLACE_BYTES = 8 * PAGE };

/* The kinds of System V objects. */
enum kind { MSG, SEM, SHM, KINDS };

enum op {
    OP_MSGGET, OP_MSGSND, OP_MSGRCV, OP_MSGCTL,
    OP_SEMGET, OP_SEMOP, OP_SEMCTL,
    OP_SHMGET, OP_SHMAT, OP_SHMDT, OP_SHMCTL,
    OP_MQ_OPEN, OP_MQ_CLOSE, OP_MQ_UNLINK, OP_MQ_SEND, OP_MQ_RECEIVE,
    OP_MQ_GETATTR, OP_MQ_SETATTR, OP_MQ_NOTIFY,
    OP_PEEK, OP_POKE, /* from here on no calls of the library */
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

/* Objects, descriptors and attachments that are none, as negative labels. */
enum { NO_ID_FIRST = -5, NO_MQD_FIRST = -6, NO_ADDRESS_FIRST = -6 };

/* Where to attach: below them the places of the region. */
enum place { PLACE_ANY = -1, PLACE_KERNEL = -2, PLACE_NONCANONICAL = -3, PLACE_FIRST = -3 };

enum timeout {
    TIMEOUT_PLAIN,      /* mq_send, mq_receive, semop */
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
    union {             /* that structure */
        struct msqid_ds queue;
        struct semid_ds set;
        struct shmid_ds segment;
        struct msginfo msginfo;
        struct seminfo seminfo;
        struct shminfo shminfo;
        struct shm_info shm_info;
        struct mq_attr attr;
    };
    enum body body;
    long type;          /* of the message received */
    long from;          /* the command that sent it, where the body is long enough to say */
    unsigned char head[4];
    unsigned prio;
    bool prio_written;
    bool cloexec;
    int values;         /* of semaphores, as GETALL gave them */
    unsigned short value[VALUES_SHOWN];
    uint32_t sum;       /* of all the values, or of the bytes read from memory */
    int fault;          /* the signal that memory access ended with */
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
    long handle;        /* the identifier, descriptor or address that the command's label stands for */
    struct result result;
    _Atomic uint32_t handled;
    struct signal_seen handled_signal[HANDLED_KEPT];
};

struct shared {
    pid_t stage;
    struct slot slots[WORKERS];
};

/* words.c: the names of things */
extern const char *const op_names[OPS];
extern const int op_args[OPS];
extern const char *const mq_names[];
extern const int mq_name_count, mq_good_names;
extern const int no_ids[], no_mqd_fds[];
extern const long no_addresses[];
extern const int notify_signals[];
extern const int notify_signal_count;
struct identity { uid_t ruid, euid, suid; gid_t gid; int groups; gid_t group[3]; };
extern const struct identity identities[];
extern const int identity_count;
struct word { long value; const char *name; };
extern const struct word snd_words[], rcv_words[], get_words[], oflag_words[], poll_words[];
extern const struct word semop_words[], shmget_words[], shmat_words[];
extern const struct word *const ctl_words[KINDS];
extern const char kind_letters[];
enum kind kind_of(enum op op);
struct sembuf operation(const struct command *c, int i);
const char *mq_name(int index);
const char *mq_name_shown(int index);
const char *errno_name(int err);
const char *signal_name(int signo);

/* calls.c, calls_sem.c, calls_shm.c */
enum { FILL = 0xA5 };
void make_call(const struct command *c, long handle, struct result *r);
void call_sem(const struct command *c, int id, struct result *r);
void call_shm(const struct command *c, long handle, struct result *r);
void touch_memory(const struct command *c, char *at, struct result *r);
void set_up_faults(void);
void *pointer(enum pointer kind, void *good);
const struct timespec *timeout(enum timeout kind, struct timespec *t, const struct timespec *now);
void before(void);
void after(struct result *r);

/* worker.c */
void worker_main(struct shared *shared, int slot) __attribute__((noreturn));
void worker_spawned(struct shared *shared, int slot, int identity) __attribute__((noreturn));
void worker_reexecuted(int slot) __attribute__((noreturn));
long futex_wait(_Atomic uint32_t *word, uint32_t value, long timeout_ns);
void futex_wake(_Atomic uint32_t *word);

/* script.c */
bool script_open(const char *path, bool for_writing);
void script_write(const struct command *c);
bool script_read(struct command *c);

/* compare.c */
/* Prints the first difference that is not a known one; 0 where there is none, 2 where it cannot compare. */
int compare(const char *known_path, const char *kernel_path, const char *subject_path);

#endif
