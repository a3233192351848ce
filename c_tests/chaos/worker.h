/* A turn of each role. All calls wait for as long as it takes: who waits too long is found by the watchdog. */

static int place;
static struct worker *my;
static unsigned dice;

static unsigned roll(unsigned end)
{
    dice = dice * 1103515245U + 12345U;
    return (dice >> 8) % end;
}

/* Round each call, for the watchdog. */
static void enter(int call) { store(&my->doing, call); }

static void leave(void)
{
    store(&my->returned_ms, now_ms());
    store(&my->doing, NULL_CALL);
}

/* So that there are enough numbers for a minute, and receivers sleep now and then. */
static void linger(void)
{
    if (roll(4) == 0)
        usleep(20);
}

static void send_msg(void)
{
    static struct message message;
    unsigned number;

    make_message(MSG, &message);
    number = message.body.number;
    shared->channel[MSG].sent[number] = INTENDED;
    enter(MSGSND);
    if (msgsnd(objects.queue, &message, body_bytes(number), 0) == -1)
        blame("msgsnd: %s", errno_name(errno));
    shared->channel[MSG].sent[number] = RETURNED;
    leave();
    linger();
}

/* One of the two takes whatever comes, so that nobody waits for ever. */
static void receive_msg(void)
{
    static const struct {
        long type;
        int flags;
    } wanted[] = {{2, 0}, {-3, 0}, {1, MSG_EXCEPT}, {0, 0}};
    static struct message message;
    unsigned choice = roles[place].turn == 0 ? 3 : roll(LENGTH(wanted));
    ssize_t bytes;

    enter(MSGRCV);
    bytes = msgrcv(objects.queue, &message, sizeof message.body, wanted[choice].type, wanted[choice].flags);
    if (bytes == -1)
        blame("msgrcv: %s", errno_name(errno));
    note(MSG, &message, bytes);
    leave();
}

static void send_mq(void)
{
    static struct message message;
    unsigned number;

    make_message(MQ, &message);
    number = message.body.number;
    shared->channel[MQ].sent[number] = INTENDED;
    enter(MQ_SEND);
    if (mq_send(objects.mqd, (char *)&message.body, body_bytes(number), number % 5) == -1)
        blame("mq_send: %s", errno_name(errno));
    shared->channel[MQ].sent[number] = RETURNED;
    leave();
    linger();
}

static void receive_mq(void)
{
    static struct message message;
    ssize_t bytes;

    enter(MQ_RECEIVE);
    bytes = mq_receive(objects.mqd, (char *)&message.body, sizeof message.body, NULL);
    if (bytes == -1)
        blame("mq_receive: %s", errno_name(errno));
    note(MQ, &message, bytes);
    leave();
}

static void operate(int call, struct sembuf *ops, size_t count)
{
    enter(call);
    /* In the kernel a semop that was asleep fails after SIGSTOP and SIGCONT, signal(7). */
    while (semop(objects.set, ops, count) == -1)
        if (errno != EINTR)
            blame("semop: %s", errno_name(errno));
    leave();
}

static unsigned my_name(void) { return 1 + 256U * (unsigned)my->life + (unsigned)place; }

static void come_in(void)
{
    unsigned before = __atomic_exchange_n(&shared->holder, my_name(), __ATOMIC_SEQ_CST);

    if (before && load(&shared->worker[(before - 1) % 256].doomed) < (int)((before - 1) / 256))
        blame("two are inside: %#x and %#x", before, my_name());
}

static void unlock(void)
{
    struct sembuf ops[] = {{0, 1, SEM_UNDO}, {1, 1, SEM_UNDO}};
    unsigned expected = my_name();

    if (!__atomic_compare_exchange_n(&shared->holder, &expected, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        blame("%#x came in while %#x was inside", expected, my_name());
    add(&shared->entered, 1);
    operate(SEMOP_UNLOCK, ops, (size_t)my->holds);
    store(&my->holds, 0);
}

static void run_anew(void)
{
    char fd[16], number[16], *argv[] = {"chaos", "worker", fd, number, NULL};

    snprintf(fd, sizeof fd, "%d", shared_fd);
    snprintf(number, sizeof number, "%d", place);
    enter(EXECV);
    execv("/proc/self/exe", argv);
    blame("execv: %s", errno_name(errno));
}

/* Of one semaphore, or of two in one array; an image may lock and the next unlock. */
static void lock_and_unlock(void)
{
    struct sembuf ops[] = {{0, -1, SEM_UNDO}, {1, -1, SEM_UNDO}};
    int count = 1 + (int)roll(2);
    volatile unsigned i;

    operate(SEMOP_LOCK, ops, (size_t)count);
    come_in();
    store(&my->holds, count);
    if (shared->execs && roll(100) == 0)
        run_anew();
    for (i = roll(300); i > 0; i--)
        ;
    if (roll(50) == 0)
        sleep_ms(1);
    unlock();
}

/* One moves tokens there and the other back: both sleep by turns. */
static void move_token(void)
{
    unsigned short from = (unsigned short)(2 + roles[place].turn), to = (unsigned short)(5 - from);
    struct sembuf ops[] = {{from, -1, 0}, {to, 1, 0}};

    operate(SEMOP_ARRAY, ops, 2);
    add(&shared->moved, 1);
}

static void post(void)
{
    int value;

    if (sem_getvalue(objects.psem, &value) == -1)
        blame("sem_getvalue: %s", errno_name(errno));
    if (value > 5) {
        usleep(100);
        return;
    }
    enter(SEM_POST);
    store(&my->begun, my->begun + 1);
    if (sem_post(objects.psem) == -1)
        blame("sem_post: %s", errno_name(errno));
    store(&my->returned, my->returned + 1);
    leave();
}

static void wait_for_post(void)
{
    enter(SEM_WAIT);
    store(&my->begun, my->begun + 1);
    while (sem_wait(objects.psem) == -1)
        if (errno != EINTR)
            blame("sem_wait: %s", errno_name(errno));
    store(&my->returned, my->returned + 1);
    leave();
}

static void attach(void)
{
    char *at[2];
    int i;

    for (i = 0; i < 2; i++) {
        enter(SHMAT);
        at[i] = shmat(objects.segment[roll(SEGMENTS)], NULL, 0);
        if (at[i] == (void *)-1)
            blame("shmat: %s", errno_name(errno));
        at[i][roll(PAGE)]++;
        leave();
    }
    add(&shared->attached, 2);
    for (i = 0; i < 2; i++) {
        enter(SHMDT);
        if (shmdt(at[i]) == -1)
            blame("shmdt: %s", errno_name(errno));
        leave();
    }
}

/* A worker's life, from its start or an exec on. */
__attribute__((noreturn)) static void work(int its_place)
{
    static void (*const turns[ROLES])(void) = {send_msg,   receive_msg, send_mq,       receive_mq, lock_and_unlock,
                                               move_token, post,        wait_for_post, attach};

    place = its_place;
    my = &shared->worker[place];
    dice = (unsigned)my->life * 7919U + (unsigned)place + (unsigned)getpid();
    if (my->holds)
        unlock();
    for (;;) {
        turns[roles[place].role]();
        if (shared->execs && roll(300) == 0)
            run_anew();
    }
}

/* What an exec leaves: the memory's descriptor. */
__attribute__((noreturn)) static void go_on(char **argv)
{
    shared_fd = atoi(argv[2]);
    map_shared();
    open_objects();
    work(atoi(argv[3]));
}
