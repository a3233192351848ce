/* talk serve | talk ask: two programs, built or started differently, on the same queues. */
#include "ground.h"

enum { KEY = 0x7a1c };

static mqd_t patient_open(const char *name)
{
    int64_t deadline = now_ms() + 10000;
    mqd_t mqd;

    while ((mqd = mq_open(name, O_RDWR)) == (mqd_t)-1 && errno == ENOENT && now_ms() < deadline)
        sleep_ms(2);
    NEED(mqd != (mqd_t)-1, "mq_open");
    return mqd;
}

static int mode_serve(void)
{
    int id = msgget(KEY, IPC_CREAT | 0600);
    mqd_t mqd = small_queue("/talk", O_RDWR, 0600);

    NEED(id != -1 && mqd != (mqd_t)-1, "making the queues");
    say_msgrcv("server", id, 1, 0);
    NEED(put_text(id, 2, "the answer", 0) == 0, "msgsnd");
    while (msgget(KEY, 0) == id)
        sleep_ms(2);
    say_mq_receive("server", mqd);
    NEED(mq_unlink("/talk") == 0, "mq_unlink");
    return 0;
}

static int mode_ask(void)
{
    mqd_t mqd = patient_open("/talk");
    int id = msgget(KEY, 0);

    NEED(id != -1 && put_text(id, 1, "the question", 0) == 0, "msgsnd");
    say_msgrcv("client", id, 2, 0);
    NEED(mq_send(mqd, "good bye", 8, 7) == 0, "mq_send");
    NEED(msgctl(id, IPC_RMID, NULL) == 0, "IPC_RMID");
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mode modes[] = {{"serve", mode_serve}, {"ask", mode_ask}};

    return run_mode(modes, LENGTH(modes), argc > 1 ? argv[1] : NULL);
}
