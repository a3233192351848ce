/* Threads of one process asleep in calls, and what exit, exec and signals do to them. */
#include "scene_block.h"

enum { RETURNED, HANDLED };

struct part {
    int q;
    mqd_t mqd;
    int is_mq;
};

static void receiver(void *argument)
{
    struct part *part = argument;

    arrive();
    if (part->is_mq)
        mq_rcv(part->mqd);
    else
        rcv(part->q, 0, 0);
    bump(RETURNED);
}

static void gift(const struct part *part, const char *text)
{
    if (part->is_mq)
        mq_put(part->mqd, text, 0);
    else
        put(part->q, 1, text, 0);
}

/* Eight threads, eight queues, served in reverse. */
static void different_queues(void)
{
    static const char *const names[] = {"t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8"};
    struct part parts[LENGTH(names)];
    struct actor *actors[LENGTH(names)];
    char name[16];

    for (size_t i = 0; i < LENGTH(names); i++) {
        snprintf(name, sizeof name, "/scene-%zu", i % 10);
        parts[i].is_mq = i % 2;
        parts[i].q = i % 2 ? -1 : q_new();
        parts[i].mqd = i % 2 ? mq_fresh(name, 1, O_RDWR, 0600) : (mqd_t)-1;
        wait_blocked(actors[i] = spawn_thread(names[i], receiver, &parts[i]));
    }
    for (size_t i = LENGTH(names); i-- > 0;) {
        gift(&parts[i], names[i]);
        finish(actors[i]);
        say("returned: %d", count(RETURNED));
    }
    for (size_t i = 0; i < LENGTH(names); i += 2)
        q_remove(parts[i].q);
}

/* The kernel records the thread's id, not the process's, as the last receiver of a handed-over message. */
static void same_queue(int is_mq)
{
    static const char *const names[] = {"t1", "t2", "t3", "t4", "t5"};
    struct part part = {q_new(), mq_new(2), is_mq};
    struct actor *actors[LENGTH(names)];

    for (size_t i = 0; i < LENGTH(names); i++)
        wait_blocked(actors[i] = spawn_thread(names[i], receiver, &part));
    for (size_t i = 0; i < LENGTH(names); i++)
        gift(&part, names[i]);
    for (size_t i = 0; i < LENGTH(names); i++)
        finish(actors[i]);
    q_state(part.q);
    q_remove(part.q);
}

static void removed(void)
{
    static const char *const names[] = {"t1", "t2", "t3", "t4"};
    struct part part = {q_new(), -1, 0};
    struct actor *actors[LENGTH(names)];

    for (size_t i = 0; i < LENGTH(names); i++)
        wait_blocked(actors[i] = spawn_thread(names[i], receiver, &part));
    q_remove(part.q);
    for (size_t i = 0; i < LENGTH(names); i++)
        finish(actors[i]);
}

/* ---- the process goes away under its sleeping threads ---- */

enum { EXIT, _EXIT, EXEC, KILL };

struct house {
    struct part part;
    int end;
};

static void house(void *argument)
{
    struct house *house = argument;
    struct actor *first = spawn_thread("first", receiver, &house->part);
    struct actor *second = spawn_thread("second", receiver, &house->part);

    wait_blocked(first);
    wait_blocked(second);
    switch (house->end) {
    case EXIT: exit(0);
    case _EXIT: _exit(0);
    case EXEC: execlp("true", "true", (char *)NULL); break;
    default: raise(SIGKILL);
    }
}

static void house_ends(int is_mq, int end)
{
    struct house whole = {{q_new(), mq_new(2), is_mq}, end};
    struct actor *lives, *dies = spawn("house", house, &whole);

    finish(dies);
    gift(&whole.part, "kept");
    receiver(&(struct part){whole.part.q, whole.part.mqd, is_mq});
    lives = spawn("survivor", receiver, &whole.part);
    wait_blocked(lives);
    gift(&whole.part, "next");
    finish(lives);
    q_remove(whole.part.q);
}

static void mq_house(int end) { house_ends(1, end); }
static void msg_house(int end) { house_ends(0, end); }

/* The main thread ends by pthread_exit; its process lives on in the one that sleeps. */
static void leaderless(void *argument)
{
    struct actor *sleeps = spawn_thread("thread", receiver, argument);

    wait_blocked(sleeps);
    arrive();
    pthread_exit(NULL);
}

static void leader_leaves(int is_mq)
{
    struct part part = {q_new(), mq_new(2), is_mq};
    struct actor *actor = spawn("house", leaderless, &part);

    while (!__atomic_load_n(&actor->arrived, __ATOMIC_SEQ_CST))
        usleep(500);
    wait_state(actor->pid, actor->tid, 'Z');
    gift(&part, "for the thread");
    await(RETURNED, 1);
    recite(&stage->actor[1]);
    finish(actor);
    q_state(part.q);
    q_remove(part.q);
}

/* ---- signals ---- */

static void handled(int number)
{
    (void)number;
    bump(HANDLED);
}

static void handle_usr1(int flags)
{
    struct sigaction action = {.sa_handler = handled, .sa_flags = flags};

    sigaction(SIGUSR1, &action, NULL);
}

/* A signal for one thread ends the call of that thread only. */
static void signal_for_one(int is_mq)
{
    struct part part = {q_new(), mq_new(2), is_mq};
    struct actor *first, *second;

    handle_usr1(0);
    wait_blocked(first = spawn_thread("first", receiver, &part));
    wait_blocked(second = spawn_thread("second", receiver, &part));
    pthread_kill(first->thread, SIGUSR1);
    finish(first);
    wait_asleep(second);
    say("returned: %d, handled: %d", count(RETURNED), count(HANDLED));
    gift(&part, "for the second");
    finish(second);
    q_remove(part.q);
}

static void masked_receiver(void *argument)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    receiver(argument);
}

/* A signal for the process goes to the thread that does not block it. */
static void signal_for_the_process(int is_mq)
{
    struct part part = {q_new(), mq_new(2), is_mq};
    struct actor *first, *second;
    sigset_t set;

    handle_usr1(0);
    wait_blocked(first = spawn_thread("first", masked_receiver, &part));
    wait_blocked(second = spawn_thread("second", receiver, &part));
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR1);
    finish(second);
    gift(&part, "for the first");
    finish(first);
    q_remove(part.q);
}

/* Changing the uid makes glibc signal all threads: what the kernel's msgrcv makes of that. */
static void uid_changes(int is_mq)
{
    struct part part = {q_new(), mq_new(2), is_mq};
    struct actor *actor;

    if (!can_switch_uid())
        return;
    wait_blocked(actor = spawn_thread("thread", receiver, &part));
    need(seteuid(1000) == 0, "seteuid");
    while (count(RETURNED) == 0 && !looks_asleep(actor->pid, actor->tid))
        usleep(500);
    say("returned: %d", count(RETURNED));
    need(seteuid(0) == 0, "seteuid");
    while (count(RETURNED) == 0 && !looks_asleep(actor->pid, actor->tid))
        usleep(500);
    if (count(RETURNED) == 0)
        gift(&part, "at last");
    finish(actor);
    q_remove(part.q);
}

/* The kernel needs nothing of the caller's stack: a thread with the smallest one may make any call. */
static void *calls_on_small_stack(void *argument)
{
    struct part *part = argument;
    struct { long type; char text[8]; } message = {1, "small"};
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 8};
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    struct msqid_ds ds;
    int works = 0;
    int q = msgget(4712, IPC_CREAT | 0600);
    mqd_t mqd = mq_open("/scene-small", O_CREAT | O_RDWR, 0600, &attr);

    works += part->q != -1 && msgsnd(part->q, &message, 5, 0) == 0;
    works += msgsnd(q, &message, 5, 0) == 0;
    works += msgrcv(q, &message, 5, -3, 0) == 5;
    works += msgctl(q, IPC_STAT, &ds) == 0;
    works += mq_send(mqd, "small", 5, 9) == 0;
    works += mq_receive(mqd, message.text, 8, NULL) == 5;
    works += mq_notify(mqd, &event) == 0;
    works += mq_getattr(mqd, &attr) == 0;
    works += mq_close(mqd) == 0;
    works += mq_unlink("/scene-small") == 0;
    works += msgctl(q, IPC_RMID, NULL) == 0;
    stage->counter[RETURNED] = works;
    return NULL;
}

static void on_small_stack(struct part *part)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    need(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN) == 0, "setstacksize");
    need(pthread_create(&thread, &attributes, calls_on_small_stack, part) == 0, "pthread_create");
    pthread_join(thread, NULL);
    say("%d calls work", count(RETURNED));
}

static void small_stack(void)
{
    struct part part = {q_new(), -1, 0};

    on_small_stack(&part);
    q_remove(part.q);
}

/* The process's first call of all comes from such a thread. */
static void small_stack_first_use(void)
{
    on_small_stack(&(struct part){-1, -1, 0});
}

/* Threads that send and receive at once, many of them: what comes out is what went in. */
enum { WORKERS = 6, EACH = 2000 };

struct storm {
    struct part part;
    long sum[2 * WORKERS];
    int next;
};

static void *works(void *argument)
{
    struct storm *storm = argument;
    int me = __atomic_fetch_add(&storm->next, 1, __ATOMIC_SEQ_CST);
    struct message message;
    char text[MQ_TEXT_MAX];

    for (int i = 0; i < EACH; i++) {
        long number = me * EACH + i + 1;
        if (me < WORKERS) {
            memset(text, 0, sizeof text);
            snprintf(text, sizeof text, "%ld", number);
            if (storm->part.is_mq)
                need(mq_put(storm->part.mqd, text, i % 3) == 0, "mq_send");
            else
                need(put(storm->part.q, i % 3 + 1, text, 0) == 0, "msgsnd");
            storm->sum[me] += number;
        } else {
            memset(&message, 0, 64);
            memset(text, 0, sizeof text);
            if (storm->part.is_mq)
                need(mq_receive(storm->part.mqd, text, sizeof text, NULL) != -1, "mq_receive");
            else
                need(msgrcv(storm->part.q, &message, TEXT_MAX, me % 2 ? 0 : -3, 0) != -1, "msgrcv");
            storm->sum[me] += atol(storm->part.is_mq ? text : message.text);
        }
    }
    return NULL;
}

static void crowd(int is_mq)
{
    static struct storm storm;
    pthread_t threads[2 * WORKERS];
    long sent = 0, received = 0;

    storm.part = (struct part){q_new(), mq_new(2), is_mq};
    q_limit(storm.part.q, 100);
    for (int i = 0; i < 2 * WORKERS; i++)
        need(pthread_create(&threads[i], NULL, works, &storm) == 0, "pthread_create");
    for (int i = 0; i < 2 * WORKERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < WORKERS; i++) {
        sent += storm.sum[i];
        received += storm.sum[WORKERS + i];
    }
    say("sent %ld, received %ld", sent, received);
    rcv(storm.part.q, 0, IPC_NOWAIT);
    mq_state(storm.part.mqd);
    q_remove(storm.part.q);
}

enum { SYSTEM_V, POSIX };

SCENES(SCENE(different_queues), SCENE_WITH(same_queue, SYSTEM_V), SCENE_WITH(same_queue, POSIX), SCENE(removed), SCENE(small_stack), SCENE(small_stack_first_use),
       SCENE_WITH(msg_house, EXIT), SCENE_WITH(msg_house, _EXIT), SCENE_WITH(msg_house, EXEC),
       SCENE_WITH(msg_house, KILL), SCENE_WITH(mq_house, EXIT), SCENE_WITH(mq_house, _EXIT),
       SCENE_WITH(mq_house, EXEC), SCENE_WITH(mq_house, KILL), SCENE_WITH(leader_leaves, SYSTEM_V),
       SCENE_WITH(leader_leaves, POSIX), SCENE_WITH(signal_for_one, SYSTEM_V), SCENE_WITH(signal_for_one, POSIX),
       SCENE_WITH(signal_for_the_process, SYSTEM_V), SCENE_WITH(signal_for_the_process, POSIX),
       SCENE_WITH(uid_changes, SYSTEM_V), SCENE_WITH(uid_changes, POSIX), SCENE_WITH(crowd, SYSTEM_V),
       SCENE_WITH(crowd, POSIX))
