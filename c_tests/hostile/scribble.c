/*
 * scribble KIND MODE: an object file (KIND: msg, mq, shm) is written over, and processes go on using it: calls
 * give an errno within 5 s, nobody crashes, loops, writes beyond a buffer or spoils the neighbouring queue.
 * MODE: holder (one has it mapped while it is spoilt), opener (opens it afterwards), identity (the header's
 * first words), truncated, live (spoilt while it is used), undamaged (the control).
 */
#include "damage.h"

enum { PATTERNS = 4, FIRST_PAGES = 8192, ELSEWHERE = 100 };

static unsigned long long seed = 88172645463325252ULL;

static uint64_t random64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* The pattern's value for a word that holds `old`: all clear, all set, random, off by one in a half. */
static uint64_t spoilt(int pattern, uint64_t old)
{
    switch (pattern) {
    case 0: return 0;
    case 1: return ~0ULL;
    case 2: return random64();
    default: return old + (random64() & 1 ? 1 : 1ULL << 32);
    }
}

/* One case: a queue is made, one word of it spoilt, and used by its holder or by a newcomer. */
static int spoil_word(const struct kind *kind, int who, off_t at, int pattern)
{
    char what[96];
    uint64_t old = 0, new;
    pid_t pid;
    int fd, go, died = 0;

    fresh_case();
    pid = start_maker(kind, who == HOLDER, &go);
    fd = open_object(kind->room);
    NEED(pread(fd, &old, sizeof old, at) == sizeof old, "pread");
    new = spoilt(pattern, old);
    NEED(pwrite(fd, &new, sizeof new, at) == sizeof new, "pwrite");
    snprintf(what, sizeof what, "%s, word at %lld: %#llx made %#llx", who == HOLDER ? "held" : "opened", (long long)at,
             (unsigned long long)old, (unsigned long long)new);
    close(go);
    died += victim_died(pid, HOLDER, what);
    if (who == NEWCOMER)
        died += victim_died(start_newcomer(kind->use), NEWCOMER, what);
    close(fd);
    end_case();
    return died;
}

static off_t object_bytes(const struct kind *kind)
{
    struct stat st;
    int fd;

    fresh_case();
    make_and_leave(kind);
    fd = open_object(kind->room);
    NEED(fstat(fd, &st) == 0, "fstat");
    close(fd);
    end_case();
    return st.st_size;
}

/* On the kernel's queues too: what the victims do is right as long as nothing is spoilt. */
static int undamaged(const struct kind *kind)
{
    int go, died;
    pid_t pid = start_maker(kind, 1, &go);

    close(go);
    died = victim_died(pid, HOLDER, "undamaged, held");
    msgctl(msgget(VICTIM_KEY, 0), IPC_RMID, NULL);
    mq_unlink(VICTIM_NAME);
    shmctl(shmget(VICTIM_KEY, 0, 0), IPC_RMID, NULL);
    make_and_leave(kind);
    died += victim_died(start_newcomer(kind->use), NEWCOMER, "undamaged, opened");
    return died ? 1 : 0;
}

static int words(const struct kind *kind, int who)
{
    off_t at, bytes = object_bytes(kind), first = bytes < FIRST_PAGES ? bytes / 8 * 8 : FIRST_PAGES;
    int pattern, died = 0, i, elsewhere = soaking() ? 3000 : ELSEWHERE;

    /* Every word in every way, or in one of them. */
    for (at = 0; at < first && died < 10; at += 8)
        for (pattern = 0; pattern < PATTERNS; pattern++)
            if (soaking() || pattern == (int)(at / 8 * 7 / 5 % PATTERNS))
                died += spoil_word(kind, who, at, pattern);
    for (i = 0; bytes - first >= 8 && i < elsewhere && died < 10; i++) {
        at = first + (off_t)(random64() % (uint64_t)(bytes - first) / 8 * 8);
        if (at + 8 <= bytes)
            died += spoil_word(kind, who, at, i % PATTERNS);
    }
    return died ? 1 : 0;
}

/* Magic, version, word size, kind: a newcomer is refused with EINVAL (EBADMSG for POSIX queues too). */
static void refused_msg(void)
{
    struct text_message message;
    int id = CALL(msgget(VICTIM_KEY, 0));

    if (id != -1) {
        if (CALL(put_text(id, 1, "x", IPC_NOWAIT)) != -1 || errno != EINVAL)
            blame("msgsnd gives %s", errno_name(errno));
        if (CALL(msgrcv(id, &message, sizeof message.text, 0, IPC_NOWAIT)) != -1 || errno != EINVAL)
            blame("msgrcv gives %s", errno_name(errno));
        if (CALL(msgctl(id, IPC_STAT, &(struct msqid_ds){0})) != -1 || errno != EINVAL)
            blame("IPC_STAT gives %s", errno_name(errno));
    } else if (errno != EINVAL) {
        blame("msgget gives %s", errno_name(errno));
    }
}

static void refused_mq(void)
{
    if (CALL(mq_open(VICTIM_NAME, O_RDWR)) != (mqd_t)-1 || (errno != EINVAL && errno != EBADMSG))
        blame("mq_open gives %s", errno_name(errno));
}

static void refused_shm(void)
{
    int id = CALL(shmget(VICTIM_KEY, 0, 0));

    if (id != -1) {
        if (CALL(shmat(id, NULL, 0)) != (void *)-1 || errno != EINVAL)
            blame("shmat gives %s", errno_name(errno));
        if (CALL(shmctl(id, IPC_STAT, &(struct shmid_ds){0})) != -1 || errno != EINVAL)
            blame("IPC_STAT gives %s", errno_name(errno));
    } else if (errno != EINVAL) {
        blame("shmget gives %s", errno_name(errno));
    }
}

static int identity(const struct kind *kind)
{
    void (*refused)(void) = kind->use == use_msg ? refused_msg : kind->use == use_shm ? refused_shm : refused_mq;
    static const struct {
        const char *name;
        off_t at;
        size_t bytes;
    } parts[] = {{"magic", 0, 8}, {"layout version", 8, 4}, {"word size", 12, 4}, {"kind", 16, 4}};
    size_t i;
    int pattern, died = 0;

    for (i = 0; i < LENGTH(parts); i++)
        for (pattern = 0; pattern < PATTERNS; pattern++) {
            uint64_t word = 0;
            char what[96];
            int fd;

            fresh_case();
            make_and_leave(kind);
            fd = open_object(kind->room);
            NEED(pread(fd, &word, parts[i].bytes, parts[i].at) == (ssize_t)parts[i].bytes, "pread");
            word = pattern == 3 ? word + 1 : spoilt(pattern, word);
            NEED(pwrite(fd, &word, parts[i].bytes, parts[i].at) == (ssize_t)parts[i].bytes, "pwrite");
            close(fd);
            snprintf(what, sizeof what, "%s made %#llx", parts[i].name, (unsigned long long)word);
            died += victim_died(start_newcomer(refused), NEWCOMER, what);
            /* The whole use of it must not crash either. */
            died += victim_died(start_newcomer(kind->use), NEWCOMER, what);
            end_case();
        }
    return died ? 1 : 0;
}

/* Cut short or drawn out before anybody has it open. */
static int truncated(const struct kind *kind)
{
    off_t whole = object_bytes(kind);
    off_t sizes[] = {0, 1, 7, 8, 63, 64, 127, 128, 129, 1000, 4095, 4096, 4097, 8191, 8192, whole / 2, whole - 4096,
                     whole - 8, whole - 1, whole + 1, whole + 4096, whole * 2, 1LL << 30, 1LL << 40};
    size_t i;
    int died = 0;

    for (i = 0; i < LENGTH(sizes); i++) {
        char what[64];
        int fd;

        if (sizes[i] < 0)
            continue;
        fresh_case();
        make_and_leave(kind);
        fd = open_object(kind->room);
        NEED(ftruncate(fd, sizes[i]) == 0, "ftruncate to %lld", (long long)sizes[i]);
        close(fd);
        snprintf(what, sizeof what, "%lld bytes instead of %lld", (long long)sizes[i], (long long)whole);
        died += victim_died(start_newcomer(kind->use), NEWCOMER, what);
        end_case();
    }
    return died ? 1 : 0;
}

/* The object is written over, word by random word, while two processes use it. */
static int scribble_live(const struct kind *kind)
{
    int64_t end = now_ms() + (soaking() ? 60000 : 1500);
    int died = 0, rounds = 0;

    while (now_ms() < end && !died) {
        pid_t pid[2];
        int fd, go, i;
        off_t bytes;

        fresh_case();
        pid[0] = start_maker(kind, 1, &go);
        fd = open_object(kind->room);
        bytes = lseek(fd, 0, SEEK_END);
        close(go);
        pid[1] = start_newcomer(kind->use);
        for (i = 0; i < 150; i++) {
            uint64_t value = spoilt((int)(random64() % 3), 0);
            off_t at = (off_t)(random64() % (uint64_t)(random64() % 4 ? 1024 : bytes)) / 8 * 8;

            NEED(pwrite(fd, &value, sizeof value, at) == sizeof value, "pwrite");
        }
        died += victim_died(pid[0], HOLDER, "scribbled while the maker used it");
        died += victim_died(pid[1], NEWCOMER, "scribbled while a newcomer used it");
        close(fd);
        end_case();
        rounds++;
    }
    say("%d rounds", rounds);
    return died || rounds < 3;
}

static int held_words(const struct kind *kind) { return words(kind, HOLDER); }
static int opened_words(const struct kind *kind) { return words(kind, NEWCOMER); }

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const struct kind *);
    } modes[] = {{"undamaged", undamaged}, {"holder", held_words},   {"opener", opened_words},
                 {"identity", identity},   {"truncated", truncated}, {"live", scribble_live}};
    size_t i;

    NEED(argc == 3, "usage: scribble KIND MODE");
    trails = trail = shared_memory(VICTIMS * sizeof *trails);
    for (i = 0; i < LENGTH(modes); i++)
        if (strcmp(modes[i].name, argv[2]) == 0)
            return modes[i].run(kind_named(argv[1]));
    return 2;
}
