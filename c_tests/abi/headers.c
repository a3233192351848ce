/* Our headers beside the system's, in the order that ORDER says; also as C++. Every call that they
 * declare has the type that its manual page gives. */
#if ORDER == 1 /* ours first */
#include <usipc.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <mqueue.h>
#include <semaphore.h>
#include <sys/mman.h>
#elif ORDER == 2 /* the system's first */
#include <sys/mman.h>
#include <semaphore.h>
#include <mqueue.h>
#include <sys/shm.h>
#include <sys/msg.h>
#include <sys/ipc.h>
#include <usipc.h>
#elif ORDER == 3 /* in turn, one by one, and twice */
#include <usipc/mqueue.h>
#include <sys/msg.h>
#include <usipc/msg.h>
#include <sys/shm.h>
#include <usipc/shm.h>
#include <mqueue.h>
#include <usipc/ipc.h>
#include <usipc/semaphore.h>
#include <sys/mman.h>
#include <usipc/mman.h>
#include <semaphore.h>
#include <usipc.h>
#include <usipc/mqueue.h>
#else /* ours alone */
#include <usipc.h>
#endif

#if USIPC_VERSION_MAJOR == 0 && USIPC_VERSION_MINOR == 0 && USIPC_VERSION_PATCH == 0
#error "no version"
#endif

key_t (*p_ftok)(const char *, int) = ftok;
int (*p_msgget)(key_t, int) = msgget;
int (*p_msgsnd)(int, const void *, size_t, int) = msgsnd;
ssize_t (*p_msgrcv)(int, void *, size_t, long, int) = msgrcv;
int (*p_msgctl)(int, int, struct msqid_ds *) = msgctl;
int (*p_shmget)(key_t, size_t, int) = shmget;
void *(*p_shmat)(int, const void *, int) = shmat;
int (*p_shmdt)(const void *) = shmdt;
int (*p_shmctl)(int, int, struct shmid_ds *) = shmctl;
mqd_t (*p_mq_open)(const char *, int, ...) = mq_open;
int (*p_mq_close)(mqd_t) = mq_close;
int (*p_mq_unlink)(const char *) = mq_unlink;
int (*p_mq_send)(mqd_t, const char *, size_t, unsigned) = mq_send;
int (*p_mq_timedsend)(mqd_t, const char *, size_t, unsigned, const struct timespec *) = mq_timedsend;
ssize_t (*p_mq_receive)(mqd_t, char *, size_t, unsigned *) = mq_receive;
ssize_t (*p_mq_timedreceive)(mqd_t, char *, size_t, unsigned *, const struct timespec *) = mq_timedreceive;
int (*p_mq_getattr)(mqd_t, struct mq_attr *) = mq_getattr;
int (*p_mq_setattr)(mqd_t, const struct mq_attr *, struct mq_attr *) = mq_setattr;
int (*p_mq_notify)(mqd_t, const struct sigevent *) = mq_notify;
sem_t *(*p_sem_open)(const char *, int, ...) = sem_open;
int (*p_sem_close)(sem_t *) = sem_close;
int (*p_sem_unlink)(const char *) = sem_unlink;
int (*p_shm_open)(const char *, int, mode_t) = shm_open;
int (*p_shm_unlink)(const char *) = shm_unlink;

int main(void)
{
    return sizeof USIPC_VERSION > 1 ? 0 : 1;
}
