/* UNP vol. 2, chapter 11, limits: tries out how many sets, semaphores, operations and undo entries there may be. */
#include "svsem.h"
#include <signal.h>
#include <sys/wait.h>

#define MAX_SETS 4096
#define MAX_VALUE (1024 * 1024)
#define MAX_MEMBERS 4096
#define MAX_OPERATIONS 4096
/* The book's goes on until fork fails, which would be felt by the whole machine. */
#define MAX_CHILDREN 64

static int sets[MAX_SETS + 1];
static struct sembuf operations[MAX_OPERATIONS];

static int try_set(int count) { return semget(IPC_PRIVATE, count, SVSEM_MODE | IPC_CREAT); }

static int new_set(int count)
{
    int set = try_set(count);

    if (set == -1)
        err_sys("semget error");
    return set;
}

static void set_value(int set, int number, int value)
{
    if (semctl(set, number, SETVAL, (union semun){.val = value}) == -1)
        err_sys("semctl error");
}

static void end(int set)
{
    if (semctl(set, 0, IPC_RMID) == -1)
        err_sys("semctl error");
}

static int most_sets(void)
{
    int made;

    for (made = 0; made <= MAX_SETS; made++)
        if ((sets[made] = try_set(1)) == -1) {
            printf("%d identifiers open at once\n", made);
            break;
        }
    return made;
}

static int largest_value(int set)
{
    int value;

    for (value = 7; value < MAX_VALUE; value += 8)
        if (semctl(set, 0, SETVAL, (union semun){.val = value}) == -1)
            break;
    printf("max semaphore value = %d\n", value - 8);
    return value - 8;
}

static int most_members(void)
{
    int count, set;

    for (count = 1; count <= MAX_MEMBERS; count++) {
        if ((set = try_set(count)) == -1) {
            printf("max of %d members per set\n", count - 1);
            break;
        }
        end(set);
    }
    return count - 1;
}

/* As many of the largest sets as there may be, and then one as large as may be. */
static void most_semaphores(int semmni, int semmsl)
{
    int made, last, sum = 0;

    for (made = 0; made < semmni; made++) {
        for (last = semmsl; last > 0; last--)
            if ((sets[made] = try_set(last)) != -1)
                break;
        sum += last;
        if (last < semmsl) {
            if (last > 0)
                end(sets[made]);
            break;
        }
    }
    printf("max of %d semaphores\n", sum);
    while (made > 0)
        end(sets[--made]);
}

static void most_operations(int semmsl)
{
    int count, set = new_set(semmsl);

    for (count = 1; count <= MAX_OPERATIONS; count++) {
        operations[count - 1] = (struct sembuf){(unsigned short)(count - 1), 1, 0};
        if (semop(set, operations, (size_t)count) == -1) {
            if (errno != E2BIG)
                err_sys("expected E2BIG from semop");
            printf("max of %d operations per semop()\n", count - 1);
            break;
        }
    }
    end(set);
}

static void largest_adjustment(int semvmx)
{
    int value, set = new_set(1);
    struct sembuf take = {0, 0, SEM_UNDO};

    set_value(set, 0, semvmx);
    for (value = semvmx - 1; value > 0; value--) {
        take.sem_op = (short)-value;
        if (semop(set, &take, 1) == 0) {
            printf("max value of adjust-on-exit = %d\n", value);
            break;
        }
    }
    end(set);
}

/* Each child has one, and keeps it until it is killed. */
static void most_undo_structures(void)
{
    pid_t children[MAX_CHILDREN];
    struct sembuf give = {0, 1, SEM_UNDO};
    int count, result, answer[2], set = new_set(1);

    set_value(set, 0, 0);
    if (pipe(answer) == -1)
        err_sys("pipe error");
    for (count = 0; count < MAX_CHILDREN; count++) {
        if ((children[count] = fork()) == -1) {
            printf("fork failed, semmnu at least %d\n", count);
            break;
        }
        if (children[count] == 0) {
            result = semop(set, &give, 1);
            if (write(answer[1], &result, sizeof result) == (ssize_t)sizeof result)
                sleep(30);
            _exit(0);
        }
        if (read(answer[0], &result, sizeof result) != (ssize_t)sizeof result)
            err_sys("read error");
        if (result == -1) {
            printf("max # undo structures = %d\n", count++);
            break;
        }
    }
    end(set);
    while (count > 0) {
        kill(children[--count], SIGINT);
        waitpid(children[count], NULL, 0);
    }
}

static void most_undo_entries(int semmsl)
{
    int count, set = new_set(semmsl);

    for (count = 0; count < semmsl && count < MAX_OPERATIONS; count++) {
        set_value(set, count, 0);
        operations[count] = (struct sembuf){(unsigned short)count, 1, SEM_UNDO};
        if (semop(set, operations, (size_t)count + 1) == -1) {
            printf("max # undo entries per process = %d\n", count);
            break;
        }
    }
    end(set);
}

int main(void)
{
    int semmni = most_sets(), semvmx, semmsl;

    semvmx = largest_value(sets[0]);
    for (int i = 0; i < semmni; i++)
        end(sets[i]);
    semmsl = most_members();
    most_semaphores(semmni, semmsl);
    most_operations(semmsl);
    largest_adjustment(semvmx);
    most_undo_structures();
    most_undo_entries(semmsl);
    return 0;
}
