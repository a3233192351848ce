/* Messages of every length beside a page that may not be touched: to the edge they are copied, beyond it the call gives EFAULT. */
#include "scene_mq.h"
#include "scene_msg.h"

static const size_t lengths[] = {1, 15, 40, 200, 256, 257, 700, 1024, 1025, 2000, 4096, 8191, 8192};

static void tell(const char *what, long done) { say("%s %s", what, result(done)); }

static char *filled(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        text[i] = (char)(i * 7 + i / 251);
    return text;
}

static const char *same(const char *text, size_t length)
{
    static char wanted[8192];

    return memcmp(text, filled(wanted, length), length) == 0 ? "same" : "other";
}

/* So that the message's text ends `inside` bytes before the wall. */
static char *before(char *wall, size_t length, size_t inside) { return wall - length + inside; }

static char *wide_wall(void)
{
    size_t size = 16384;
    char *pages = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    need(pages != MAP_FAILED && mprotect(pages + size, 4096, PROT_NONE) == 0, "mmap");
    return pages + size;
}

static void system_v(void)
{
    char *wall = wide_wall();
    int q = q_new();

    for (size_t i = 0; i < LENGTH(lengths); i++) {
        size_t length = lengths[i];
        long *message = (long *)(before(wall, length, 0) - sizeof(long));
        long *beyond = (long *)((char *)message + (length + 1) / 2);
        ssize_t got;

        *message = 5;
        filled((char *)(message + 1), length);
        tell("to the edge", msgsnd(q, message, length, 0));
        memset(message, 0, sizeof(long) + length);
        got = msgrcv(q, message, length, 0, 0);
        say("%zu: got %zd, type %ld, %s", length, got, *message, same((char *)(message + 1), length));
        *beyond = 5;
        tell("beyond it", msgsnd(q, beyond, length, IPC_NOWAIT));
        *message = 5;
        tell("one more", msgsnd(q, message, length, IPC_NOWAIT));
        tell("received beyond it", msgrcv(q, beyond, length, 0, IPC_NOWAIT));
        tell("nothing is left", msgrcv(q, message, length, 0, IPC_NOWAIT));
    }
    q_remove(q);
}

static void posix(void)
{
    char *wall = wide_wall();
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 8192};
    mqd_t mqd = mq_open("/edges", O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attr);
    char *room = wide_wall() - 8192;

    need(mqd != -1 && mq_unlink("/edges") == 0, "mq_open");
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        size_t length = lengths[i];
        char *text = filled(before(wall, length, 0), length);

        tell("to the edge", mq_send(mqd, text, length, 1));
        say("%zu: got %zd, %s", length, mq_receive(mqd, room, 8192, NULL), same(room, length));
        tell("beyond it", mq_send(mqd, text + (length + 1) / 2, length, 1));
        tell("one more", mq_send(mqd, text, length, 1));
        tell("received beyond it", mq_receive(mqd, wall - length / 2, 8192, NULL));
        tell("nothing is left", mq_receive(mqd, room, 8192, NULL));
    }
    need(mq_close(mqd) == 0, "mq_close");
}

SCENES(SCENE(system_v), SCENE(posix))
