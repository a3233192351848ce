/* UNP vol. 2, chapter 6: the keys by which clients find the server. */
#ifndef SVMSG_H
#define SVMSG_H

#include "mesg.h"

#define MQ_KEY1 1234 /* to the server */
#define MQ_KEY2 2345 /* from it */

LISTING_API int get_queue(key_t key, int flags)
{
    int queue = msgget(key, flags);

    if (queue == -1)
        err_sys("msgget error");
    return queue;
}

LISTING_API void remove_queue(int queue)
{
    if (msgctl(queue, IPC_RMID, NULL) == -1)
        err_sys("msgctl error");
}

#endif
