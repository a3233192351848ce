/* UNP vol. 2, chapter 14, limits: tries out how many segments, how many attached, how small and how large there may be. */
#include "svshm.h"

#define MAX_SEGMENTS 4096
#define PAGE 4096

static int segments[MAX_SEGMENTS + 1];
static void *addresses[MAX_SEGMENTS + 1];

static int try_segment(size_t size) { return shmget(IPC_PRIVATE, size, SVSHM_MODE | IPC_CREAT); }

static void end(int segment)
{
    if (shmctl(segment, IPC_RMID, NULL) == -1)
        err_sys("shmctl error");
}

static int most_segments(void)
{
    int made, count;

    for (made = 0; made <= MAX_SEGMENTS; made++)
        if ((segments[made] = try_segment(1024)) == -1) {
            printf("%d identifiers open at once\n", made);
            break;
        }
    count = made;
    while (made > 0)
        end(segments[--made]);
    return count;
}

/* The book's fails at the first segment that there may not be; here they are no more than there may be. */
static void most_attached(int most)
{
    int i;

    for (i = 0; i < most; i++) {
        if ((segments[i] = try_segment(1024)) == -1)
            err_sys("shmget error");
        addresses[i] = shmat(segments[i], NULL, 0);
        if (addresses[i] == (void *)-1) {
            end(segments[i]);
            break;
        }
    }
    printf("%d shared memory segments attached at once\n", i);
    while (i > 0) {
        if (shmdt(addresses[--i]) == -1)
            err_sys("shmdt error");
        end(segments[i]);
    }
}

static void smallest(void)
{
    size_t size = 1;
    int segment;

    while ((segment = try_segment(size)) == -1)
        size++;
    printf("minimum size of shared memory segment = %zu\n", size);
    end(segment);
}

static void largest(void)
{
    size_t size;
    int segment;

    for (size = 16 * PAGE; (segment = try_segment(size)) != -1; size += PAGE)
        end(segment);
    printf("maximum size of shared memory segment = %zu\n", size - PAGE);
}

int main(void)
{
    most_attached(most_segments());
    smallest();
    largest();
    return 0;
}
