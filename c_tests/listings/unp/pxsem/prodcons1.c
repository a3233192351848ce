/* UNP vol. 2, chapter 10, prodcons1 <#items>: a producer and a consumer with three named semaphores. */
#include "prodcons.h"

int main(int argc, char **argv)
{
    pthread_t producer, consumer;

    if (argc != 2)
        err_quit("usage: prodcons1 <#items>");
    items = atoi(argv[1]);
    create_named();
    producer = start(produce, NULL);
    consumer = start(consume, NULL);
    join(producer);
    join(consumer);
    unlink_named();
    return 0;
}
