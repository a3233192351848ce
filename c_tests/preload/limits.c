/*
 * limits MODE [KEY...]: what the limits are and that they hold. The kernel's run has them in /proc/sys,
 * ours in the environment.
 */
#include "ground.h"

static long bytes_free(void)
{
    return 2L << 20; /* enough for what is tried, little enough to hold in memory */
}

/* The numbers that msgctl(2) tells. */
static int mode_info(void)
{
    struct msginfo info;
    struct msqid_ds ds;
    int id;

    NEED(msgctl(0, IPC_INFO, (struct msqid_ds *)&info) != -1, "IPC_INFO");
    say("msgmax %d msgmnb %d msgmni %d", info.msgmax, info.msgmnb, info.msgmni);
    id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    NEED(id != -1 && msgctl(id, IPC_STAT, &ds) == 0, "IPC_STAT");
    say("a new queue's msg_qbytes %lu", (unsigned long)ds.msg_qbytes);
    NEED(msgctl(id, IPC_RMID, NULL) == 0, "IPC_RMID");
    return 0;
}

/* The longest message is msgmax; a queue holds msgmnb bytes. */
static int mode_message(void)
{
    struct msginfo info;
    struct text_message *message;
    int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600), sent = 0;
    long size;

    NEED(id != -1 && msgctl(0, IPC_INFO, (struct msqid_ds *)&info) != -1, "IPC_INFO");
    size = info.msgmax;
    NEED(size <= bytes_free(), "a limit of %ld is not for this test", size);
    message = calloc(1, sizeof *message + (size_t)size + 1);
    NEED(message, "calloc");
    message->type = 1;
    memset(message->text, 'x', (size_t)size);
    say("one byte too many: %s", outcome(msgsnd(id, message, (size_t)size + 1, IPC_NOWAIT)));
    say("the longest: %s", outcome(msgsnd(id, message, (size_t)size, IPC_NOWAIT)));
    say("received: %zd", msgrcv(id, message, (size_t)size, 0, IPC_NOWAIT));
    NEED(size == 0 || message->text[size - 1] == 'x', "the last byte");
    message->type = 1;
    while (msgsnd(id, message, 1000, IPC_NOWAIT) == 0)
        sent++;
    say("%d messages of 1000 bytes, then %s", sent, errno_name(errno));
    while (msgrcv(id, message, 1000, 0, IPC_NOWAIT) == 1000)
        sent--;
    say("%d lost", sent);
    NEED(msgctl(id, IPC_RMID, NULL) == 0, "IPC_RMID");
    free(message);
    return 0;
}

/* As many queues as msgmni says. */
static int mode_queues(void)
{
    enum { MOST = 200 };
    int id[MOST], i, made;

    for (made = 0; made < MOST; made++) {
        id[made] = msgget(made + 1, IPC_CREAT | IPC_EXCL | 0600);
        if (id[made] == -1)
            break;
    }
    say("%d queues, then %s", made, made == MOST ? "stopped" : errno_name(errno));
    for (i = 0; i < made; i++)
        NEED(msgctl(id[i], IPC_RMID, NULL) == 0, "IPC_RMID");
    say("%d left", queues_in_use());
    return 0;
}

static const char **attributes; /* pairs of mq_maxmsg and mq_msgsize, of which a few are beyond the limits */

static int mode_mq(void)
{
    struct mq_attr attr;
    const char **word;

    for (word = attributes; word[0] && word[1]; word += 2) {
        mqd_t mqd;

        memset(&attr, 0, sizeof attr);
        attr.mq_maxmsg = atol(word[0]);
        attr.mq_msgsize = atol(word[1]);
        mqd = mq_open("/limits", O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
        say("%s x %s: %s", word[0], word[1], outcome(mqd));
        if (mqd == (mqd_t)-1)
            continue;
        NEED(mq_getattr(mqd, &attr) == 0 && mq_close(mqd) == 0 && mq_unlink("/limits") == 0, "mq_unlink");
        NEED(attr.mq_maxmsg == atol(word[0]) && attr.mq_msgsize == atol(word[1]), "the attributes are others");
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {
        {"info", mode_info}, {"message", mode_message}, {"queues", mode_queues}, {"mq", mode_mq},
    };

    attributes = (const char **)argv + (argc > 2 ? 2 : argc);
    return run_mode(modes, LENGTH(modes), argc > 1 ? argv[1] : NULL);
}
