/* The objects that chaos' workers share, and what is left in them. */

struct body {
    unsigned number;
    unsigned char fill[BODY_MAX];
};

struct message {
    long type;
    struct body body;
};

/* Memory that an exec does not lose: its descriptor stays open. */
static int shared_fd;

static void map_shared(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, shared_fd, 0);
    NEED(shared != MAP_FAILED, "mmap");
}

static void make_shared(void)
{
    shared_fd = memfd_create("chaos", 0);
    NEED(shared_fd != -1 && ftruncate(shared_fd, sizeof *shared) == 0, "memfd_create");
    map_shared();
}

/* The kernel only proves that the test is right. */
static int64_t seconds(void)
{
    const char *mode = getenv("MODE");

    if (!getenv("USIPC_DIR"))
        return 1;
    return mode && strcmp(mode, "soak") == 0 ? 60 : getenv("CHAOS_S") ? atoi(getenv("CHAOS_S")) : 5;
}

static mqd_t open_mq(const char *name)
{
    struct mq_attr attr = {.mq_maxmsg = 6, .mq_msgsize = sizeof(struct body)};

    return mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
}

/* What an exec closes is opened again. */
static void open_objects(void)
{
    objects = shared->objects;
    objects.mqd = open_mq("/chaos");
    objects.psem = sem_open("/chaos", O_CREAT, 0600, 0);
    NEED(objects.mqd != (mqd_t)-1 && objects.psem != SEM_FAILED, "the POSIX objects");
}

static void make_objects(void)
{
    unsigned short values[SEMS] = {1, 1, TOKENS, 0};
    struct msqid_ds ds;
    int i;

    shared->objects.queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    NEED(msgctl(shared->objects.queue, IPC_STAT, &ds) == 0 && (ds.msg_qbytes = 4000) &&
             msgctl(shared->objects.queue, IPC_SET, &ds) == 0,
         "the queue");
    shared->objects.set = semget(IPC_PRIVATE, SEMS, IPC_CREAT | 0600);
    NEED(semctl(shared->objects.set, 0, SETALL, (union semun){.array = values}) == 0, "the set");
    for (i = 0; i < SEGMENTS; i++)
        NEED((shared->objects.segment[i] = shmget(1 + i, PAGE, IPC_CREAT | 0600)) != -1, "shmget");
    open_objects();
}

static void remove_objects(void)
{
    int i;

    NEED(msgctl(objects.queue, IPC_RMID, NULL) == 0 && semctl(objects.set, 0, IPC_RMID) == 0, "IPC_RMID");
    for (i = 0; i < SEGMENTS; i++)
        NEED(shmctl(objects.segment[i], IPC_RMID, NULL) == 0, "IPC_RMID of a segment");
    NEED(mq_close(objects.mqd) == 0 && mq_unlink("/chaos") == 0, "mq_unlink");
    NEED(sem_close(objects.psem) == 0 && sem_unlink("/chaos") == 0, "sem_unlink");
}

static size_t body_bytes(unsigned number) { return sizeof number + number * 7919U % BODY_MAX; }
static unsigned char fill_of(unsigned number) { return (unsigned char)(number * 31U + 7U); }

__attribute__((format(printf, 1, 2), noreturn)) static void blame(const char *format, ...)
{
    va_list arguments;

    /* The first to be wrong says why: what others see may follow from it. */
    if (__atomic_exchange_n(&shared->blamed, 1, __ATOMIC_SEQ_CST) == 0) {
        va_start(arguments, format);
        vsnprintf(shared->wrong, sizeof shared->wrong, format, arguments);
        va_end(arguments);
    }
    _exit(124);
}

static void note(int kind, const struct message *message, ssize_t bytes)
{
    unsigned number = message->body.number;
    ssize_t i;

    if (number >= MESSAGES || bytes != (ssize_t)body_bytes(number))
        blame("message %u has %zd bytes", number, bytes);
    /* First of all, so that a kill seldom comes in between. */
    add(&shared->channel[kind].got[number], 1);
    for (i = 0; i < bytes - (ssize_t)sizeof number; i++)
        if (message->body.fill[i] != fill_of(number))
            blame("message %u is torn", number);
}

static void make_message(int kind, struct message *message)
{
    unsigned number = add(&shared->channel[kind].next, 1);

    if (number >= MESSAGES)
        blame("too many messages");
    message->type = 1 + number % 3;
    message->body.number = number;
    memset(message->body.fill, fill_of(number), body_bytes(number) - sizeof number);
}

static void set_nonblocking(mqd_t mqd)
{
    struct mq_attr attr = {.mq_flags = O_NONBLOCK};

    NEED(mq_setattr(mqd, &attr, NULL) == 0, "mq_setattr");
}

static void drain(void)
{
    static struct message message;
    ssize_t bytes;

    while ((bytes = msgrcv(objects.queue, &message, sizeof message.body, 0, IPC_NOWAIT)) != -1)
        note(MSG, &message, bytes);
    NEED(errno == ENOMSG, "msgrcv");
    set_nonblocking(objects.mqd);
    while ((bytes = mq_receive(objects.mqd, (char *)&message.body, sizeof message.body, NULL)) != -1)
        note(MQ, &message, bytes);
    NEED(errno == EAGAIN, "mq_receive");
}

static int fill_queue(int queue, size_t bytes)
{
    static struct message message = {.type = 1};
    int count = 0;

    while (msgsnd(queue, &message, bytes, IPC_NOWAIT) == 0)
        count++;
    NEED(errno == EAGAIN, "msgsnd");
    while (msgrcv(queue, &message, bytes, 0, IPC_NOWAIT) != -1)
        ;
    return count;
}

static int fill_mq(mqd_t mqd)
{
    static struct body body;
    int count = 0;

    while (mq_send(mqd, (char *)&body, sizeof body, 0) == 0)
        count++;
    NEED(errno == EAGAIN, "mq_send");
    while (mq_receive(mqd, (char *)&body, sizeof body, NULL) != -1)
        ;
    return count;
}

/* The queues hold as much as on the first day. */
static void check_capacity(void)
{
    NEED(fill_queue(objects.queue, 500) == 4000 / 500, "not 8 messages of 500 bytes");
    NEED(fill_queue(objects.queue, 1) == 4000, "not 4000 messages of a byte");
    NEED(fill_mq(objects.mqd) == 6, "not 6 messages");
}

static int count_entries(const char *room)
{
    const char *directory = getenv("USIPC_DIR");
    char path[4096];
    int count = 0;
    DIR *stream;

    snprintf(path, sizeof path, "%s/%s", directory ? directory : "", room);
    stream = directory ? opendir(path) : NULL;
    while (stream && readdir(stream))
        count++;
    if (stream)
        closedir(stream);
    return count;
}
