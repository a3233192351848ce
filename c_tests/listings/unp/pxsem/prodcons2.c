/* UNP vol. 2, chapter 10, prodcons2 <#items>: prodcons1 with unnamed semaphores. */
#include "prodcons.h"

int main(int argc, char **argv)
{
    pthread_t producer, consumer;

    if (argc != 2)
        err_quit("usage: prodcons2 <#items>");
    items = atoi(argv[1]);
    init_unnamed();
    producer = start(produce, NULL);
    consumer = start(consume, NULL);
    join(producer);
    join(consumer);
    destroy_unnamed();
    return 0;
}
