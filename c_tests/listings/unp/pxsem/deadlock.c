/* UNP vol. 2, chapter 10, deadlock <#items>: prodcons1 whose consumer takes the mutex too early: it never ends. */
#include "prodcons.h"

static void *consume_wrongly(void *argument)
{
    for (int i = 0; i < items; i++) {
        take(shared.mutex);
        take(shared.stored);
        check(i % BUFFERS, i);
        give(shared.mutex);
        give(shared.empty);
    }
    return argument;
}

int main(int argc, char **argv)
{
    pthread_t producer, consumer;

    if (argc != 2)
        err_quit("usage: deadlock <#items>");
    items = atoi(argv[1]);
    create_named();
    producer = start(produce, NULL);
    consumer = start(consume_wrongly, NULL);
    join(producer);
    join(consumer);
    unlink_named();
    return 0;
}
