/* What chaos' workers do. */
#ifndef CHAOS_H
#define CHAOS_H

#include "ground.h"
#include <semaphore.h>
#include <sys/sem.h>
#include <sys/shm.h>

enum { MESSAGES = 16 << 20, BODY_MAX = 900, SEMS = 4, TOKENS = 2, SEGMENTS = 2, PAGE = 4096 };
enum { INTENDED = 1, RETURNED = 2 };

enum { MSG, MQ, LOCK, ARRAY, PSEM, SEGMENT, KINDS };
static const char *const kind_names[] = {"System V messages", "POSIX messages", "locks", "arrays", "POSIX semaphores",
                                         "segments"};

enum { MSG_SENDER, MSG_RECEIVER, MQ_SENDER, MQ_RECEIVER, LOCKER, MOVER, POSTER, WAITER, ATTACHER, ROLES };
static const struct {
    int role;
    int turn; /* which of those of its role */
    const char *name;
} roles[] = {
    {MSG_SENDER, 0, "msgsnd"}, {MSG_SENDER, 1, "msgsnd"}, {MSG_RECEIVER, 0, "msgrcv"}, {MSG_RECEIVER, 1, "msgrcv"},
    {MQ_SENDER, 0, "mq_send"}, {MQ_SENDER, 1, "mq_send"}, {MQ_RECEIVER, 0, "mq_receive"}, {MQ_RECEIVER, 1, "mq_receive"},
    {LOCKER, 0, "lock"},       {LOCKER, 1, "lock"},       {LOCKER, 2, "lock"},         {MOVER, 0, "move"},
    {MOVER, 1, "move"},        {POSTER, 0, "sem_post"},   {WAITER, 0, "sem_wait"},     {WAITER, 1, "sem_wait"},
    {ATTACHER, 0, "shmat"},    {ATTACHER, 1, "shmat"},
};
enum { WORKERS = LENGTH(roles) };

enum { NULL_CALL, MSGSND, MSGRCV, MQ_SEND, MQ_RECEIVE, SEMOP_LOCK, SEMOP_UNLOCK, SEMOP_ARRAY, SEM_POST, SEM_WAIT, SHMAT, SHMDT, EXECV };
static const char *const call_names[] = {"-", "msgsnd", "msgrcv", "mq_send", "mq_receive", "semop -1 SEM_UNDO",
                                         "semop +1 SEM_UNDO", "semop array", "sem_post", "sem_wait", "shmat", "shmdt", "execv"};

GROUND_API int kind_of(int role)
{
    static const int kinds[ROLES] = {MSG, MSG, MQ, MQ, LOCK, ARRAY, PSEM, PSEM, SEGMENT};

    return kinds[role];
}

union semun {
    int val;
    unsigned short *array;
};

struct worker {
    int life;   /* which of those that come one after another in this place */
    int doomed; /* lives up to this one have been or are being killed */
    int doing;
    int holds; /* semaphores of the lock, through an exec */
    int64_t returned_ms;
    unsigned begun, returned;
};

struct channel {
    unsigned next;
    unsigned char sent[MESSAGES], got[MESSAGES];
};

struct shared {
    int execs;
    int blamed;
    char wrong[200];
    unsigned holder; /* 1 + 256 * life + place of who is inside the lock */
    unsigned long entered, moved, attached;
    int killed[ROLES], unknown[ROLES];
    int64_t longest_ms[KINDS];
    struct objects {
        int queue, set, segment[SEGMENTS];
        mqd_t mqd;
        sem_t *psem;
    } objects;
    struct worker worker[WORKERS];
    struct channel channel[2];
};

static struct shared *shared;
static struct objects objects;

#define load(address) __atomic_load_n(address, __ATOMIC_SEQ_CST)
#define store(address, value) __atomic_store_n(address, value, __ATOMIC_SEQ_CST)
#define add(address, value) __atomic_fetch_add(address, value, __ATOMIC_SEQ_CST)

#include "objects.h"
#include "worker.h"

#endif
