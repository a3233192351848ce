/* Receives what the constructor in ctor_lib.c sent, which is linked in, preloaded, or both. */
#include "ground.h"

__attribute__((weak)) int ctor_error(void);

int main(void)
{
    int msqid = msgget(0x0c70, 0);
    mqd_t mqd = mq_open("/ctor", O_RDWR);

    say("constructor: %s", ctor_error ? errno_name(ctor_error()) : "absent");
    say("main: msgget %s, mq_open %s", msqid == -1 ? "failed" : "ok", mqd == (mqd_t)-1 ? "failed" : "ok");
    say_msgrcv("main", msqid, 0, IPC_NOWAIT);
    say_mq_receive("main", mqd);
    say("main: mq_close %s", outcome(mq_close(mqd)));
    return 0;
}
