/*
 * What others do to a System V queue on which somebody sleeps: remove it, take the permission away,
 * change its msg_qbytes.
 */
#include "scene_msg.h"

enum { RETURNED };

struct part {
    int q;
    uid_t uid;
    long type;
    size_t size;
    int flags;
};

static void receiver(void *argument)
{
    const struct part *part = argument;

    if (part->uid != 0)
        become(part->uid);
    arrive();
    rcv_size(part->q, TEXT_MAX, part->type, part->flags);
    bump(RETURNED);
}

static void sender(void *argument)
{
    const struct part *part = argument;

    if (part->uid != 0)
        become(part->uid);
    arrive();
    snd_size(part->q, part->type, 's', part->size, 0);
    bump(RETURNED);
}

static void removed_receivers(void)
{
    int q = q_new();
    struct part parts[] = {{q, 0, 0, 0, 0}, {q, 0, 5, 0, MSG_EXCEPT}, {q, 0, -3, 0, MSG_NOERROR}, {q, 0, 9, 0, 0}};
    struct actor *actors[LENGTH(parts)];

    for (size_t i = 0; i < LENGTH(parts); i++)
        wait_blocked(actors[i] = spawn("receiver", receiver, &parts[i]));
    say("IPC_RMID %s", result(msgctl(q, IPC_RMID, NULL)));
    for (size_t i = 0; i < LENGTH(parts); i++)
        finish(actors[i]);
    q_state(q);
    rcv(q, 0, IPC_NOWAIT);
    snd(q, 1, "x", IPC_NOWAIT);
    say("IPC_RMID again %s", result(msgctl(q, IPC_RMID, NULL)));
}

static void removed_senders(void)
{
    int q = q_new();
    struct part parts[] = {{q, 0, 1, 10, 0}, {q, 0, 2, 200, 0}, {q, 0, 3, 0, 0}};
    struct actor *actors[LENGTH(parts)];

    q_limit(q, 200);
    q_fill(q, 1, 1);
    for (size_t i = 0; i < LENGTH(parts); i++)
        wait_blocked(actors[i] = spawn("sender", sender, &parts[i]));
    say("IPC_RMID %s", result(msgctl(q, IPC_RMID, NULL)));
    for (size_t i = 0; i < LENGTH(parts); i++)
        finish(actors[i]);
}

/* The identifier of a removed queue is not that of the next one, though its place may be. */
static void removed_and_made_again(void)
{
    int q = msgget(4711, IPC_CREAT | IPC_EXCL | 0600), again;
    struct part part = {q, 0, 0, 0, 0};
    struct actor *actor;

    need(q != -1, "msgget");
    wait_blocked(actor = spawn("receiver", receiver, &part));
    q_remove(q);
    again = msgget(4711, IPC_CREAT | IPC_EXCL | 0600);
    say("made again: %s, %s id", again == -1 ? "no" : "yes", again == q ? "same" : "another");
    snd(again, 1, "for the new one", 0);
    finish(actor);
    drain(again);
    rcv(q, 0, IPC_NOWAIT);
    q_remove(again);
}

/* Waiters of all kinds on several queues; each removal wakes its own. */
static void removed_one_of_two(void)
{
    int q1 = q_new(), q2 = q_new();
    struct part part1 = {q1, 0, 0, 0, 0}, part2 = {q2, 0, 0, 0, 0};
    struct actor *first = spawn("first", receiver, &part1), *second = spawn("second", receiver, &part2);

    wait_blocked(first);
    wait_blocked(second);
    q_remove(q1);
    finish(first);
    wait_asleep(second);
    say("returned: %d", count(RETURNED));
    snd(q2, 1, "still here", 0);
    finish(second);
    q_remove(q2);
}

static void set_mode(int q, unsigned short mode)
{
    struct msqid_ds ds;

    need(msgctl(q, IPC_STAT, &ds) == 0, "IPC_STAT");
    ds.msg_perm.mode = mode;
    say("IPC_SET mode %o %s", mode, result(msgctl(q, IPC_SET, &ds)));
}

static int open_queue(unsigned short mode)
{
    int q = msgget(IPC_PRIVATE, IPC_CREAT | mode);

    need(q != -1, "msgget");
    return q;
}

static void receiver_loses_permission(void)
{
    int q = open_queue(0666);
    struct part stranger_part = {q, 1000, 0, 0, 0}, part = {q, 0, 7, 0, 0};
    struct actor *stranger, *own;

    if (!can_switch_uid())
        return;
    wait_blocked(stranger = spawn("uid 1000", receiver, &stranger_part));
    wait_blocked(own = spawn("own", receiver, &part));
    set_mode(q, 0600);
    finish(stranger);
    wait_asleep(own);
    snd(q, 7, "for the owner", 0);
    finish(own);
    q_remove(q);
}

static void receiver_keeps_permission(void)
{
    int q = open_queue(0666);
    struct part part = {q, 1000, 0, 0, 0};
    struct actor *stranger;

    if (!can_switch_uid())
        return;
    wait_blocked(stranger = spawn("uid 1000", receiver, &part));
    set_mode(q, 0644);
    wait_asleep(stranger);
    say("returned: %d", count(RETURNED));
    snd(q, 1, "readable", 0);
    finish(stranger);
    q_remove(q);
}

/* The read permission is what counts for a receiver, the write permission for a sender. */
static void sender_loses_permission(void)
{
    int q = open_queue(0666);
    struct part stranger_part = {q, 1000, 1, 50, 0}, part = {q, 0, 1, 50, 0};
    struct actor *stranger, *own;

    if (!can_switch_uid())
        return;
    q_limit(q, 100);
    q_fill(q, 1, 100);
    wait_blocked(stranger = spawn("uid 1000", sender, &stranger_part));
    wait_blocked(own = spawn("own", sender, &part));
    set_mode(q, 0644);
    rcv(q, 0, 0);
    finish(stranger);
    finish(own);
    q_state(q);
    q_remove(q);
}

/* A receiver who becomes somebody else's queue's stranger when the owner changes. */
static void owner_changes(void)
{
    int q = open_queue(0600);
    struct part part = {q, 1000, 0, 0, 0};
    struct actor *stranger;
    struct msqid_ds ds;

    if (!can_switch_uid())
        return;
    need(msgctl(q, IPC_STAT, &ds) == 0, "IPC_STAT");
    ds.msg_perm.uid = 1000;
    need(msgctl(q, IPC_SET, &ds) == 0, "IPC_SET");
    wait_blocked(stranger = spawn("uid 1000", receiver, &part));
    ds.msg_perm.uid = 1001;
    say("IPC_SET uid %s", result(msgctl(q, IPC_SET, &ds)));
    finish(stranger);
    q_remove(q);
}

static void raised_qbytes(void)
{
    int q = q_new();
    struct part part = {q, 0, 2, 100, 0};
    struct actor *actor;

    q_limit(q, 100);
    q_fill(q, 1, 100);
    wait_blocked(actor = spawn("sender", sender, &part));
    q_limit(q, 199);
    wait_asleep(actor);
    say("199 is not enough: returned %d", count(RETURNED));
    q_limit(q, 200);
    finish(actor);
    q_state(q);
    drain(q);
    q_remove(q);
}

static void raised_for_two(void)
{
    int q = q_new();
    struct part big = {q, 0, 2, 150, 0}, small = {q, 0, 3, 50, 0};
    struct actor *first, *second;

    q_limit(q, 100);
    q_fill(q, 1, 100);
    wait_blocked(first = spawn("big", sender, &big));
    wait_blocked(second = spawn("small", sender, &small));
    q_limit(q, 150);
    finish(second);
    wait_asleep(first);
    q_state(q);
    q_limit(q, 300);
    finish(first);
    q_state(q);
    drain(q);
    q_remove(q);
}

static void lowered_qbytes(void)
{
    int q = q_new();
    struct part part = {q, 0, 2, 10, 0};
    struct actor *actor;

    snd_size(q, 1, 'a', 60, IPC_NOWAIT);
    snd_size(q, 1, 'b', 30, IPC_NOWAIT);
    q_limit(q, 50);
    q_state(q);
    snd_size(q, 1, 'c', 1, IPC_NOWAIT);
    snd_size(q, 1, 'c', 0, IPC_NOWAIT);
    wait_blocked(actor = spawn("sender", sender, &part));
    rcv(q, 0, IPC_NOWAIT); /* 30 of 50: room again */
    finish(actor);
    q_limit(q, 0);
    snd_size(q, 1, 'z', 0, IPC_NOWAIT);
    drain(q);
    snd_size(q, 1, 'z', 0, IPC_NOWAIT);
    q_remove(q);
}

/* Empty messages are limited by msg_qbytes too: as many messages as bytes. */
static void empty_messages(void)
{
    int q = q_new();
    struct part part = {q, 0, 2, 0, 0};
    struct actor *actor;

    q_limit(q, 5);
    q_fill(q, 1, 0);
    q_state(q);
    wait_blocked(actor = spawn("sender", sender, &part));
    rcv(q, 0, IPC_NOWAIT);
    finish(actor);
    q_state(q);
    drain(q);
    q_remove(q);
}

/* A message that cannot ever fit waits for a limit that lets it. */
static void larger_than_qbytes(void)
{
    int q = q_new();
    struct part part = {q, 0, 2, 100, 0};
    struct actor *actor;

    q_limit(q, 50);
    snd_size(q, 1, 'x', 100, IPC_NOWAIT);
    wait_blocked(actor = spawn("sender", sender, &part));
    q_limit(q, 100);
    finish(actor);
    drain(q);
    q_remove(q);
}

static void limits_refused(void)
{
    struct msqid_ds ds;
    int q = open_queue(0666);

    need(msgctl(q, IPC_STAT, &ds) == 0, "IPC_STAT");
    if (!can_switch_uid())
        return;
    ds.msg_perm.uid = 1000;
    need(msgctl(q, IPC_SET, &ds) == 0, "IPC_SET");
    become(1000);
    ds.msg_qbytes = 16385;
    say("IPC_SET above msgmnb %s", result(msgctl(q, IPC_SET, &ds)));
    ds.msg_qbytes = 16384;
    say("IPC_SET to msgmnb %s", result(msgctl(q, IPC_SET, &ds)));
    ds.msg_qbytes = 10;
    say("IPC_SET lower %s", result(msgctl(q, IPC_SET, &ds)));
    ds.msg_qbytes = 16384;
    say("IPC_SET back to msgmnb %s", result(msgctl(q, IPC_SET, &ds)));
    q_remove(q);
}

SCENES(SCENE(removed_receivers), SCENE(removed_senders), SCENE(removed_and_made_again), SCENE(removed_one_of_two),
       SCENE(receiver_loses_permission), SCENE(receiver_keeps_permission), SCENE(sender_loses_permission),
       SCENE(owner_changes), SCENE(raised_qbytes), SCENE(raised_for_two), SCENE(lowered_qbytes),
       SCENE(empty_messages), SCENE(larger_than_qbytes), SCENE(limits_refused))
