/*
 * A library whose constructor and destructor use the queues: depending on the order in which libraries
 * are loaded, they run before usipc's own code was initialised and after main has returned.
 */
#include "ground.h"

enum { CTOR_KEY = 0x0c70 };

static int msqid = -1;
static mqd_t mqd = (mqd_t)-1;
static int error;

__attribute__((constructor)) static void at_load(void)
{
    errno = 0;
    msqid = msgget(CTOR_KEY, IPC_CREAT | 0600);
    if (msqid == -1 || put_text(msqid, 5, "from the constructor", 0) == -1)
        error = errno;
    mqd = small_queue("/ctor", O_RDWR, 0600);
    if (mqd == (mqd_t)-1 || mq_send(mqd, "mq from the constructor", 23, 9) == -1)
        error = errno;
}

__attribute__((destructor)) static void at_unload(void)
{
    say("destructor: msgsnd %s", outcome(put_text(msqid, 6, "late", 0)));
    say_msgrcv("destructor", msqid, 6, IPC_NOWAIT);
    say("destructor: IPC_RMID %s", outcome(msgctl(msqid, IPC_RMID, NULL)));
    say("destructor: mq_send %s", outcome(mq_send(mqd, "late", 4, 0)));
    say("destructor: mq_unlink %s", outcome(mq_unlink("/ctor")));
}

int ctor_error(void) { return error; }
