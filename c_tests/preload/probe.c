/*
 * probe STEP...: does the steps one after the other in one process and says how each went.
 *     uid:UID:GID      becomes this user for good, with no other group
 *     cd:DIRECTORY     changes the working directory
 *     umask:MODE
 *     make:KEY:MODE    msgget with IPC_CREAT | IPC_EXCL
 *     get:KEY          msgget with IPC_CREAT, mode 0600
 *     find:KEY         msgget without IPC_CREAT
 *     send:KEY:TEXT  recv:KEY  rm:KEY
 *     id:KEY           prints the identifier
 *     stat:ID          IPC_STAT by identifier
 *     mqmake:NAME:MODE  mqsend:NAME:TEXT  mqrecv:NAME  mqrm:NAME
 *     semmake:NAME:VALUE  sempost:NAME  semvalue:NAME  semrm:NAME
 *     shmmake:NAME:TEXT  shmread:NAME  shmrm:NAME
 */
#include "ground.h"
#include <grp.h>
#include <semaphore.h>

static char *after_colon(char *text)
{
    char *colon = strchr(text, ':');

    NEED(colon, "a step lacks a part: %s", text);
    *colon = '\0';
    return colon + 1;
}

static long number(const char *text) { return strtol(text, NULL, 0); }
static mode_t octal(const char *text) { return (mode_t)strtol(text, NULL, 8); }
static int find(const char *key) { return msgget((key_t)number(key), 0); }

static long become(char *argument)
{
    gid_t gid = (gid_t)number(after_colon(argument));
    uid_t uid = (uid_t)number(argument);

    NEED(setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0, "setuid");
    return 0;
}

static long recv_one(char *argument)
{
    struct text_message message;
    ssize_t bytes = msgrcv(find(argument), &message, sizeof message.text, 0, IPC_NOWAIT);

    if (bytes >= 0)
        say("received \"%.*s\"", (int)bytes, message.text);
    return bytes == -1 ? -1 : 0;
}

static long send_one(char *argument)
{
    char *text = after_colon(argument);

    return put_text(find(argument), 1, text, IPC_NOWAIT);
}

static long make_one(char *argument)
{
    mode_t mode = octal(after_colon(argument));

    return msgget((key_t)number(argument), IPC_CREAT | IPC_EXCL | (int)mode);
}

static long id_of(char *argument)
{
    int id = find(argument);

    if (id != -1)
        say("%d", id);
    return id;
}

static long mq_make(char *argument)
{
    mode_t mode = octal(after_colon(argument));

    return small_queue(argument, O_RDWR | O_EXCL, mode);
}

static long mq_send_one(char *argument)
{
    char *text = after_colon(argument);
    mqd_t mqd = mq_open(argument, O_WRONLY | O_NONBLOCK);

    return mqd == (mqd_t)-1 ? -1 : mq_send(mqd, text, strlen(text), 1);
}

static long mq_recv_one(char *argument)
{
    char text[TEXT_BYTES];
    mqd_t mqd = mq_open(argument, O_RDONLY | O_NONBLOCK);
    ssize_t bytes = mqd == (mqd_t)-1 ? -1 : mq_receive(mqd, text, sizeof text, NULL);

    if (bytes >= 0)
        say("received \"%.*s\"", (int)bytes, text);
    return bytes == -1 ? -1 : 0;
}

static long sem_make(char *argument)
{
    unsigned value = (unsigned)number(after_colon(argument));

    return sem_open(argument, O_CREAT | O_EXCL, 0600, value) == SEM_FAILED ? -1 : 0;
}

static long sem_post_one(char *argument)
{
    sem_t *sem = sem_open(argument, 0);

    return sem == SEM_FAILED || sem_post(sem) == -1 || sem_close(sem) == -1 ? -1 : 0;
}

static long say_sem_value(char *argument)
{
    sem_t *sem = sem_open(argument, 0);
    int value;

    if (sem == SEM_FAILED || sem_getvalue(sem, &value) == -1 || sem_close(sem) == -1)
        return -1;
    say("%d", value);
    return 0;
}

static long shm_make(char *argument)
{
    const char *text = after_colon(argument);
    int fd = shm_open(argument, O_CREAT | O_EXCL | O_RDWR, 0600);

    return fd == -1 ? -1 : write(fd, text, strlen(text));
}

static long shm_read(char *argument)
{
    char text[TEXT_BYTES] = "";
    int fd = shm_open(argument, O_RDONLY | O_NONBLOCK, 0);
    ssize_t bytes = fd == -1 ? -1 : read(fd, text, sizeof text - 1);

    if (bytes >= 0)
        say("received \"%.*s\"", (int)strcspn(text, "\n"), text);
    return bytes;
}

static long change_directory(char *argument) { return chdir(argument); }
static long set_umask(char *argument) { return umask(octal(argument)), 0; }
static long get_one(char *argument) { return msgget((key_t)number(argument), IPC_CREAT | 0600); }
static long find_one(char *argument) { return find(argument); }
static long remove_one(char *argument) { return msgctl(find(argument), IPC_RMID, NULL); }
static long stat_one(char *argument) { return msgctl((int)number(argument), IPC_STAT, &(struct msqid_ds){0}); }
static long mq_remove(char *argument) { return mq_unlink(argument); }
static long sem_remove(char *argument) { return sem_unlink(argument); }
static long shm_remove(char *argument) { return shm_unlink(argument); }

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        long (*run)(char *);
    } steps[] = {
        {"uid", become},     {"cd", change_directory}, {"umask", set_umask},    {"make", make_one},
        {"get", get_one},    {"find", find_one},       {"send", send_one},      {"recv", recv_one},
        {"rm", remove_one},  {"id", id_of},            {"stat", stat_one},      {"mqmake", mq_make},
        {"mqsend", mq_send_one}, {"mqrecv", mq_recv_one}, {"mqrm", mq_remove},
        {"semmake", sem_make}, {"sempost", sem_post_one}, {"semvalue", say_sem_value}, {"semrm", sem_remove},
        {"shmmake", shm_make}, {"shmread", shm_read}, {"shmrm", shm_remove},
    };
    int i;

    for (i = 1; i < argc; i++) {
        char *argument = after_colon(argv[i]);
        size_t k;
        long result = -1;

        errno = 0;
        for (k = 0; k < LENGTH(steps) && strcmp(steps[k].name, argv[i]) != 0; k++)
            ;
        NEED(k < LENGTH(steps), "no such step: %s", argv[i]);
        result = steps[k].run(argument);
        if (strcmp(argv[i], "id") != 0 || result == -1)
            say("%s %s", argv[i], outcome(result));
    }
    return 0;
}
