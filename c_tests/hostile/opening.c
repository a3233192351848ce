/*
 * opening WHAT: objects' files change while processes open them, again and again.
 *     KIND (msg, mq, sem, shm)   the file is cut short at random, and whole again
 *     swapped                    two objects' files of a kind change places; one has its file at two places
 *     registry                   lifelines, hints, keys and limits are written over, cut short, taken away
 * Every call ends soon, with success or an errno that it may give; nobody dies.
 */
#include "damage.h"
#include <sys/sem.h>

enum { USERS = 3, IMAGE = 1 << 16 };

static const char *what;
static int *stop;
static unsigned seed = 7;

static int is(const char *name) { return strcmp(what, name) == 0; }

static unsigned random_below(unsigned end)
{
    seed = seed * 1103515245U + 12345U;
    return (seed >> 8) % end;
}

static int64_t last_ms(void)
{
    return now_ms() + (soaking() ? 30000 : 700);
}

static void use_msg_once(int key)
{
    int id;

    tolerable(id = CALL(msgget(key, 0)));
    tolerable(CALL(put_text(id, 1, "text", IPC_NOWAIT)));
    tolerable(CALL(msgrcv(id, &(struct text_message){0}, TEXT_BYTES, 0, IPC_NOWAIT | MSG_NOERROR)));
    tolerable(CALL(msgctl(id, IPC_STAT, &(struct msqid_ds){0})));
}

static void use_sem_once(int key)
{
    int id;

    tolerable(id = CALL(semget(key, 0, 0)));
    tolerable(CALL(semop(id, &(struct sembuf){1, 1, SEM_UNDO}, 1)));
    tolerable(CALL(semop(id, &(struct sembuf){1, -1, SEM_UNDO | IPC_NOWAIT}, 1)));
}

static void use_shm_once(int key)
{
    void *memory;
    int id;

    tolerable(id = CALL(shmget(key, 0, 0)));
    memory = CALL(shmat(id, NULL, 0));
    tolerable((long)memory);
    if (memory != (void *)-1 && CALL(shmdt(memory)) == -1)
        blame("what was attached cannot be detached (%s)", errno_name(errno));
}

static void use_mq_once(const char *name)
{
    struct fenced buffer;
    mqd_t mqd;

    tolerable(mqd = CALL(mq_open(name, O_RDWR | O_NONBLOCK)));
    tolerable(CALL(mq_send(mqd, "text", 4, 1)));
    tolerable(CALL(mq_receive(mqd, (char *)buffer.text, RECEIVE_BYTES, NULL)));
    if (mqd != (mqd_t)-1)
        tolerable(CALL(mq_close(mqd)));
}

static void use_once(unsigned round)
{
    int key = round % 2 ? VICTIM_KEY : NEIGHBOUR_KEY;

    if (!is("sem") && !is("shm") && !is("mq"))
        use_msg_once(key);
    if (!is("msg") && !is("shm") && !is("mq"))
        use_sem_once(key);
    if (!is("msg") && !is("sem") && !is("mq"))
        use_shm_once(key);
    if (!is("msg") && !is("sem") && !is("shm"))
        use_mq_once(round % 2 ? VICTIM_NAME : NEIGHBOUR_NAME);
}

static int user(void *place)
{
    unsigned round;
    pid_t pid;

    trail = place;
    for (round = 0; !__atomic_load_n(stop, __ATOMIC_SEQ_CST); round++) {
        use_once(round);
        /* One who comes new, and registers. */
        if (round % 16 == 0) {
            pid = fork_bound();
            if (pid == 0) {
                use_once(round);
                _exit(0);
            }
            if (reap(pid) != 0)
                _exit(1);
        }
    }
    return 0;
}

static int make(void *unused)
{
    int keys[] = {VICTIM_KEY, NEIGHBOUR_KEY}, i;

    (void)unused;
    for (i = 0; i < 2; i++) {
        int id = msgget(keys[i], IPC_CREAT | 0600);

        NEED(id != -1 && semget(keys[i], 3 + i, IPC_CREAT | 0600) != -1, "making");
        NEED(shmget(keys[i], 4096, IPC_CREAT | 0600) != -1, "shmget");
        NEED(make_mq_named(i ? NEIGHBOUR_NAME : VICTIM_NAME) != -1, "mq_open");
    }
    return 0;
}

static const char *in_namespace(const char *room, const char *name)
{
    static char paths[2][4096];
    static int turn;
    char *path = paths[turn++ % 2];

    snprintf(path, sizeof paths[0], "%s/%s/%s", getenv("USIPC_DIR"), room, name);
    return path;
}

/* Short, and whole again: by turns of its length alone, and with what it held. */
static void cut(int fd, const char *image, off_t size)
{
    off_t lengths[] = {0, 100, 4096, 8192, 24576, 28672, 1 << 20};
    off_t to = lengths[random_below(LENGTH(lengths))];

    NEED(ftruncate(fd, to < size ? to : 0) == 0, "ftruncate");
    usleep(random_below(200));
    NEED(ftruncate(fd, size) == 0, "ftruncate");
    if (random_below(4) != 0)
        NEED(pwrite(fd, image, (size_t)(size < IMAGE ? size : IMAGE), 0) > 0, "pwrite");
    usleep(random_below(300));
}

static void cut_all_the_time(void)
{
    static char image[IMAGE];
    int fd = open(in_namespace(what, is("mq") ? "victim" : "0"), O_RDWR | O_CLOEXEC);
    int64_t end = last_ms();
    off_t size = lseek(fd, 0, SEEK_END);

    NEED(fd != -1 && pread(fd, image, IMAGE, 0) > 4096, "the object's file");
    while (now_ms() < end)
        cut(fd, image, size);
}

static void exchange(const char *room, const char *one, const char *other)
{
    NEED(renameat2(AT_FDCWD, in_namespace(room, one), AT_FDCWD, in_namespace(room, other), RENAME_EXCHANGE) == 0, "renameat2");
}

static void swap_all_the_time(void)
{
    static const char *const rooms[] = {"msg", "sem", "shm"};
    int64_t end = last_ms();
    size_t i;

    while (now_ms() < end) {
        for (i = 0; i < LENGTH(rooms); i++) {
            exchange(rooms[i], "0", "1");
            if (link(in_namespace(rooms[i], "0"), in_namespace(rooms[i], "2")) == 0)
                unlink(in_namespace(rooms[i], "2"));
        }
        exchange("mq", "victim", "neighbour");
        /* One of another kind. */
        NEED(renameat2(AT_FDCWD, in_namespace("msg", "0"), AT_FDCWD, in_namespace("sem", "0"), RENAME_EXCHANGE) == 0, "renameat2");
        usleep(random_below(500));
        NEED(renameat2(AT_FDCWD, in_namespace("msg", "0"), AT_FDCWD, in_namespace("sem", "0"), RENAME_EXCHANGE) == 0, "renameat2");
        usleep(random_below(500));
    }
}

/* One file of a room, by chance; 0 if there is none. */
static int any_file(const char *room, char *path)
{
    DIR *stream = opendir(in_namespace(room, ""));
    struct dirent *entry;
    unsigned seen = 0;

    NEED(stream, "%s", room);
    while ((entry = readdir(stream)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && random_below(++seen) == 0)
            strcpy(path, in_namespace(room, entry->d_name));
    closedir(stream);
    return seen != 0;
}

/* Whether it could be done: what is there changes all the time. */
static int spoil_file(const char *path)
{
    int failed;
    unsigned word = random_below(3) ? random_below(1 << 24) * 257U : 0;
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    off_t end = fd == -1 ? 0 : lseek(fd, 0, SEEK_END), size = end > 0 ? end : 0;

    switch (random_below(12)) {
    case 0: failed = unlink(path); break;
    case 1: failed = unlink(path) || symlink(random_below(2) ? "12345" : "/dev/zero", path); break;
    case 2: failed = unlink(path) || mkdir(path, 0700); break;
    case 3: failed = rmdir(path); break;
    case 4: failed = unlink(path) || mkfifo(path, 0666); break;
    case 5: failed = fd == -1 || ftruncate(fd, random_below((unsigned)size + 1)); break;
    case 6: failed = chmod(path, random_below(01000)); break;
    default: failed = size == 0 || pwrite(fd, &word, 1 + random_below(4), random_below((unsigned)size)) == -1; break;
    }
    if (fd != -1)
        close(fd);
    return !failed;
}

static void spoil_registry(void)
{
    static const char *const hints[] = {"msg", "sem", "shm"};
    int64_t end = last_ms();
    char path[4096];
    int spoilt = 0;

    while (now_ms() < end) {
        if (any_file("procs", path))
            spoilt += spoil_file(path);
        if (random_below(4) == 0 && any_file("keys", path))
            spoilt += spoil_file(path);
        spoilt += spoil_file(in_namespace(hints[random_below(3)], ".seq"));
        if (random_below(8) == 0)
            spoilt += spoil_file(in_namespace(".", "limits"));
        usleep(random_below(300));
    }
    NEED(spoilt > 100, "only %d things were spoilt", spoilt);
}

int main(int argc, char **argv)
{
    pid_t pid[USERS];
    int i, died = 0;

    NEED(argc == 2, "usage: opening WHAT");
    what = argv[1];
    stop = shared_memory(sizeof *stop);
    trails = shared_memory(USERS * sizeof *trails);
    reap_well(start(make, NULL), "making");
    for (i = 0; i < USERS; i++)
        pid[i] = start(user, &trails[i]);
    if (is("swapped"))
        swap_all_the_time();
    else if (is("registry"))
        spoil_registry();
    else
        cut_all_the_time();
    __atomic_store_n(stop, 1, __ATOMIC_SEQ_CST);
    for (i = 0; i < USERS; i++)
        died += victim_died(pid[i], i, what);
    return died != 0;
}
