/* UNP vol. 2, chapter 10, prodcons3 <#items> <#producers>: several producers, each says how many items were its own. */
#include "prodcons.h"

int main(int argc, char **argv)
{
    pthread_t producers[MAX_THREADS], consumer;
    int counts[MAX_THREADS] = {0}, many, i;

    if (argc != 3)
        err_quit("usage: prodcons3 <#items> <#producers>");
    items = atoi(argv[1]);
    many = least(atoi(argv[2]), MAX_THREADS);
    init_unnamed();
    for (i = 0; i < many; i++)
        producers[i] = start(produce_next, &counts[i]);
    consumer = start(consume, NULL);
    for (i = 0; i < many; i++) {
        join(producers[i]);
        printf("count[%d] = %d\n", i, counts[i]);
    }
    join(consumer);
    destroy_unnamed();
    return 0;
}
