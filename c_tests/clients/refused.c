/* Exits 0 when neither the kernel nor glibc makes an object of any kind: then whatever works is not theirs. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#define NAME "/usipc-clients-refused"

static int made;

/* Says which kind was made after all; the caller removes it. */
static int is_made(int yes, const char *kind)
{
    if (yes) {
        fprintf(stderr, "a %s was made\n", kind);
        made = 1;
    }
    return yes;
}

static void system_v(void)
{
    int msqid = msgget(IPC_PRIVATE, 0600);
    int semid = semget(IPC_PRIVATE, 1, 0600);
    int shmid = shmget(IPC_PRIVATE, 4096, 0600);

    if (is_made(msqid != -1, "System V queue"))
        msgctl(msqid, IPC_RMID, NULL);
    if (is_made(semid != -1, "System V semaphore set"))
        semctl(semid, 0, IPC_RMID);
    if (is_made(shmid != -1, "System V shared memory segment"))
        shmctl(shmid, IPC_RMID, NULL);
}

static void posix(void)
{
    mqd_t queue = mq_open(NAME, O_CREAT | O_RDWR, 0600, NULL);
    sem_t *semaphore = sem_open(NAME, O_CREAT, 0600, 1);
    int memory = shm_open(NAME, O_CREAT | O_RDWR, 0600);

    if (is_made(queue != (mqd_t)-1, "POSIX queue"))
        mq_unlink(NAME);
    if (is_made(semaphore != SEM_FAILED, "POSIX semaphore"))
        sem_unlink(NAME);
    if (is_made(memory != -1, "POSIX shared memory object"))
        shm_unlink(NAME);
}

int main(void)
{
    system_v();
    posix();
    return made;
}
