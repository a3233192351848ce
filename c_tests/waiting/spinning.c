/*
 * spinning msgrcv|msgsnd|mq_receive|mq_send|semop: a thread that has been served quickly so far waits, and polls for a moment
 * before it sleeps: a signal ends that as it would end the sleep. A handler with SA_RESTART does so too for the System V calls; for
 * the others the call goes on and gets what comes later (signal(7)).
 */
#include "ground.h"
#include <pthread.h>
#include <sched.h>
#include <sys/sem.h>

enum { ROUNDS = 200, GRACE_MS = 20, HANG_MS = 20000 };

static const char *what;
static int id;
static mqd_t queue;
static volatile sig_atomic_t handled;
static pthread_t waiter;
/* Numbers of calls, and what the last one came to. */
static volatile int allowed, begun, over, result;

static void note(int signal)
{
    (void)signal;
    handled++;
}

static int is(const char *name) { return strcmp(what, name) == 0; }
static int restarts(void) { return is("mq_receive") || is("mq_send"); }

static int call(int sending)
{
    struct text_message message = { .type = 1 };
    struct sembuf op = { .sem_op = sending ? 1 : -1 };

    if (is("semop"))
        return semop(id, &op, 1);
    if (is("msgrcv") || is("msgsnd"))
        return sending ? msgsnd(id, &message, TEXT_BYTES, 0) : (int)msgrcv(id, &message, TEXT_BYTES, 0, 0);
    return sending ? mq_send(queue, message.text, TEXT_BYTES, 0) : (int)mq_receive(queue, message.text, TEXT_BYTES, NULL);
}

/* The call that waits, and the one that lets it go on. */
static int wait_in_call(void) { return call(is("msgsnd") || is("mq_send")); }
static int let_go_on(void) { return call(!(is("msgsnd") || is("mq_send"))); }

static void prepare(void)
{
    struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = TEXT_BYTES };
    struct msqid_ds limits;

    if (restarts())
        queue = mq_open("/spinning", O_RDWR | O_CREAT, 0600, &attr);
    else
        id = is("semop") ? semget(IPC_PRIVATE, 1, 0600) : msgget(IPC_PRIVATE, 0600);
    NEED(id != -1 && queue != (mqd_t)-1, "making it");
    if (is("msgsnd")) {
        NEED(msgctl(id, IPC_STAT, &limits) == 0, "IPC_STAT");
        limits.msg_qbytes = TEXT_BYTES;
        NEED(msgctl(id, IPC_SET, &limits) == 0, "IPC_SET");
    }
    if (is("msgsnd") || is("mq_send"))
        NEED(wait_in_call() == 0, "filling it");
}

static void remove_it(void)
{
    if (restarts())
        mq_unlink("/spinning");
    else if (is("semop"))
        semctl(id, 0, IPC_RMID);
    else
        msgctl(id, IPC_RMID, NULL);
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static void busy_us(int us)
{
    int64_t until = now_us() + us;

    while (now_us() < until)
        ;
}

/* Until the waiter has returned from its call number `calls`. */
static int returned(int calls, int within_ms)
{
    int64_t until = now_ms() + within_ms;

    while (over < calls && now_ms() < until)
        sched_yield();
    return over >= calls;
}

static void *waits(void *unused)
{
    int i;

    (void)unused;
    for (i = 1; i <= 2 * ROUNDS; i++) {
        while (allowed < i)
            ;
        result = (begun = i, wait_in_call()) == -1 ? errno : 0;
        over = i;
    }
    return NULL;
}

/* One call that is served, and one that a signal meets after so many microseconds; whether that ended it. */
static int one_round(int round, int us)
{
    int was = handled, ended;

    allowed = 2 * round + 1;
    while (begun < 2 * round + 1)
        ;
    busy_us(5);
    NEED(let_go_on() != -1, "letting it go on");
    NEED(returned(2 * round + 1, HANG_MS) && result == 0, "a call that is served gives %s", errno_name(result));
    allowed = 2 * round + 2;
    while (begun < 2 * round + 2)
        ;
    busy_us(us);
    NEED(pthread_kill(waiter, SIGUSR1) == 0, "pthread_kill");
    ended = returned(2 * round + 2, restarts() ? 1 : GRACE_MS);
    if (ended) {
        NEED(result == EINTR && handled == was + 1, "a call that is not served gives %s", errno_name(result));
        return 1;
    }
    NEED(let_go_on() != -1, "letting it go on");
    NEED(returned(2 * round + 2, HANG_MS) && result == 0, "it gives %s", errno_name(result));
    NEED(handled == was + 1, "%d signals", handled - was);
    return 0;
}

int main(int argc, char **argv)
{
    /* Of a thread whose signal came just before its call. */
    struct sigaction action = { .sa_handler = note };
    int round, ended = 0;

    what = argc > 1 ? argv[1] : "";
    action.sa_flags = restarts() ? SA_RESTART : argc > 2 ? SA_RESTART : 0;
    NEED(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
    prepare();
    NEED(pthread_create(&waiter, NULL, waits, NULL) == 0, "pthread_create");
    for (round = 0; round < ROUNDS; round++)
        ended += one_round(round, 3 + round % 60);
    pthread_join(waiter, NULL);
    remove_it();
    NEED(restarts() ? ended == 0 : ended > ROUNDS / 2, "%d of %d calls were ended", ended, ROUNDS);
    return 0;
}
