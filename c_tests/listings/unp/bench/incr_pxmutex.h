/* UNP vol. 2, appendix A: the lock of the incr_pxmutex* programs is a mutex, for comparison; `PSHARED` says between whom. */
#ifndef INCR_PXMUTEX_H
#define INCR_PXMUTEX_H

#include "incr.h"

static pthread_mutex_t *mutex;

static void give(void)
{
    if ((errno = pthread_mutex_unlock(mutex)) != 0)
        err_sys("pthread_mutex_unlock error");
}

static void take(void)
{
    if ((errno = pthread_mutex_lock(mutex)) != 0)
        err_sys("pthread_mutex_lock error");
}

static void make(void)
{
    pthread_mutexattr_t attributes;

    mutex = shared_memory(sizeof *mutex);
    pthread_mutexattr_init(&attributes);
    if ((errno = pthread_mutexattr_setpshared(&attributes, PSHARED)) != 0 ||
        (errno = pthread_mutex_init(mutex, &attributes)) != 0)
        err_sys("pthread_mutex_init error");
    take();
}

static const struct lock of_mutex = {make, NULL, take, give, NULL};

#endif
