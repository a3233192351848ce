/* UNP vol. 2, chapter 10, prodcons4 <#items> <#producers> <#consumers>: several of both, with their counts. */
#include "prodcons.h"

/* As produce_next, but whoever finds all items there wakes a consumer, who must learn of it. */
static void *produce_and_tell(void *count)
{
    for (;;) {
        take(shared.empty);
        take(shared.mutex);
        if (shared.put >= items) {
            give(shared.stored);
            give(shared.empty);
            give(shared.mutex);
            return NULL;
        }
        shared.buffer[shared.put++ % BUFFERS] = shared.put_value++;
        give(shared.mutex);
        give(shared.stored);
        ++*(int *)count;
    }
}

static void *consume_next(void *count)
{
    for (;;) {
        take(shared.stored);
        take(shared.mutex);
        if (shared.get >= items) {
            give(shared.stored);
            give(shared.mutex);
            return NULL;
        }
        check(shared.get++ % BUFFERS, shared.get_value++);
        give(shared.mutex);
        give(shared.empty);
        ++*(int *)count;
    }
}

int main(int argc, char **argv)
{
    pthread_t producers[MAX_THREADS], consumers[MAX_THREADS];
    int produced[MAX_THREADS] = {0}, consumed[MAX_THREADS] = {0}, n_producers, n_consumers, i;

    if (argc != 4)
        err_quit("usage: prodcons4 <#items> <#producers> <#consumers>");
    items = atoi(argv[1]);
    n_producers = least(atoi(argv[2]), MAX_THREADS);
    n_consumers = least(atoi(argv[3]), MAX_THREADS);
    init_unnamed();
    for (i = 0; i < n_producers; i++)
        producers[i] = start(produce_and_tell, &produced[i]);
    for (i = 0; i < n_consumers; i++)
        consumers[i] = start(consume_next, &consumed[i]);
    for (i = 0; i < n_producers; i++) {
        join(producers[i]);
        printf("producer count[%d] = %d\n", i, produced[i]);
    }
    for (i = 0; i < n_consumers; i++) {
        join(consumers[i]);
        printf("consumer count[%d] = %d\n", i, consumed[i]);
    }
    destroy_unnamed();
    return 0;
}
