/* The generator: draws commands from the seed and the model. */
#ifndef GENERATE_H
#define GENERATE_H
#include "model.h"

enum { MAX_QUEUES = 10, MAX_SETS = 5, MAX_SEGMENTS = 6 }; /* alive at one time */

/* What a phase is about; a run may be kept to one of them. */
enum about { ABOUT_ALL, ABOUT_QUEUES, ABOUT_SEMAPHORES, ABOUT_MEMORY, ABOUTS };

struct random { uint64_t state; };
uint64_t draw(struct random *r);
long draw_below(struct random *r, long bound);
bool draw_percent(struct random *r, int percent);
#define DRAW_FROM(r, array) ((array)[draw_below((r), LENGTH(array))])
struct phase {
    const char *name;
    enum about about;
    int weight[OPS];
    int wait_percent; /* how many of the calls may sleep */
    int undo_percent; /* how many of the operations on semaphores have SEM_UNDO */
};
struct generator {
    struct random random;
    const struct phase *phase;
    long phase_left;
    long number;
    unsigned avoided;
    enum about only;
    bool no_copy;
};
enum avoid {
    AVOID_GIVE_AWAY, AVOID_GIVE_AWAY_ROOT, AVOID_STAT_ANY, AVOID_INFO, AVOID_STALE_ID, AVOID_ODD_CMD,
    AVOID_DUP, AVOID_CLOSE, AVOID_CLOSE_ALL, AVOID_RAW_FORK, AVOID_RAW_FORK_ATTACHED, AVOID_EXEC,
    AVOID_EXEC_REGISTERED, AVOID_EXEC_CHANGED, AVOID_IDENTITY,
    AVOID_POLL, AVOID_FAULT, AVOID_ODD_OFLAGS, AVOID_LONG_MQ, AVOID_NOTIFY, AVOID_WAIT,
    AVOID_UNDO, AVOID_IDLE_UNDO, AVOID_ZEROS, AVOID_LINGER, AVOID_REMAP,
    AVOID_SHM_EXEC, AVOID_SHM_LOCK, AVOID_HUGETLB, AVOID_VAST,
    AVOIDS
};
extern const struct phase phases[];
extern const int phase_count;

/* generate.c: false where there is nothing of that name */
bool generator_avoid(struct generator *g, const char *name);
bool generator_only(struct generator *g, const char *name);
bool avoided(const struct generator *g, enum avoid what);
void generate(struct generator *g, struct model *m, struct command *c);
/* A worker that can be handed a call (alive) or whose place is free; -1 where there is none. */
int draw_worker(struct generator *g, const struct model *m, bool alive);
bool may_wait(const struct generator *g, struct model *m, struct random *r);

void generate_call(struct generator *g, struct model *m, struct command *c);

/* generate_msg.c, generate_mq.c, generate_sem.c, generate_shm.c */
void generate_msg(struct generator *g, struct model *m, struct command *c);
void generate_mq(struct generator *g, struct model *m, struct command *c);
void generate_sem(struct generator *g, struct model *m, struct command *c);
void generate_shm(struct generator *g, struct model *m, struct command *c);

/* generate_sysv.c */
long draw_mode(struct random *r);
long draw_pointer(struct generator *g);
bool insists(struct random *r, unsigned denied, int worker);
long draw_sysv(struct generator *g, struct model *m, enum kind kind, int worker);
/* Flags for a get call; room says whether there may be one object more. */
long draw_get_flags(struct generator *g, bool room);
/* The new owner, as far as the run may give objects away. */
void draw_owner(struct generator *g, struct model *m, struct command *c);
/* Everything that the control calls have in common; max is how many objects there are to be. */
void draw_ctl(struct generator *g, struct model *m, struct command *c, const long *common, int count, int max);

/* generate_partner.c */
bool generate_partner(struct generator *g, struct model *m, struct command *c);

/* generate_sem.c */
void answer_semop(struct generator *g, struct model *m, const struct command *sleeper, struct command *c);

#endif
