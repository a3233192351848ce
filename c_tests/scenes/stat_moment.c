/* What msgctl IPC_STAT shows is of one moment, whatever others do to the queue just then. */
#include "scene_msg.h"

enum { LOOKS = 300000, MOST_LOOKS = 1000 * LOOKS, LENGTH_SENT = 24, AT_ONCE = 3 };
enum { STARTED, OVER };

/* Sends a few messages and receives them, on and on. */
static void busy(void *argument)
{
    int q = *(int *)argument;
    struct message message = {.type = 1};

    for (int round = 0; !count(OVER); round++) {
        for (int i = 0; i < AT_ONCE; i++)
            need(msgsnd(q, &message, LENGTH_SENT, 0) == 0, "msgsnd");
        for (int i = 0; i < AT_ONCE; i++)
            need(msgrcv(q, &message, TEXT_MAX, 0, 0) == LENGTH_SENT, "msgrcv");
        if (round == 0)
            bump(STARTED);
    }
}

/* Sets mode and msg_qbytes, which go together: 0600 and 600, or 0644 and 644. */
static void sets(void *argument)
{
    int q = *(int *)argument;
    struct msqid_ds ds;

    need(msgctl(q, IPC_STAT, &ds) == 0, "IPC_STAT");
    for (int round = 0; !count(OVER); round++) {
        ds.msg_perm.mode = round % 2 == 0 ? 0600 : 0644;
        ds.msg_qbytes = round % 2 == 0 ? 600 : 644;
        need(msgctl(q, IPC_SET, &ds) == 0, "IPC_SET");
        if (round == 0)
            bump(STARTED);
    }
}

static int is_whole(const struct msqid_ds *ds)
{
    return ds->__msg_cbytes == ds->msg_qnum * LENGTH_SENT && ds->msg_qnum <= AT_ONCE &&
           (ds->msg_perm.mode == 0600 ? 600 : 644) == (int)ds->msg_qbytes;
}

/* More than one bit. */
static int is_several(unsigned seen) { return (seen & (seen - 1)) != 0; }

static void looked_at(const char *by, void (*body)(void *))
{
    int q = q_new(), torn = 0;
    unsigned seen = 0;
    struct msqid_ds ds;
    struct actor *actor;

    q_limit(q, 600);
    actor = spawn(by, body, &q);
    await(STARTED, 1);
    /* All looks together take but milliseconds, in which the other may not have had a processor. */
    for (int i = 0; i < LOOKS || (i < MOST_LOOKS && !is_several(seen)); i++) {
        need(msgctl(q, IPC_STAT, &ds) == 0, "IPC_STAT");
        torn += !is_whole(&ds);
        seen |= 1u << (ds.msg_qnum + (ds.msg_perm.mode == 0600 ? 0 : AT_ONCE + 1)) % 32;
    }
    bump(OVER);
    finish(actor);
    say("%d were of no one moment, %s", torn, is_several(seen) ? "of several states" : "all of one state");
    q_remove(q);
}

static void sent_and_received(void) { looked_at("busy", busy); }

static void changed(void) { looked_at("sets", sets); }

SCENES(SCENE(sent_and_received), SCENE(changed))
