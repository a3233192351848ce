/* System V message queue calls that say what they did; texts are printed, ids are not. */
#ifndef SCENE_MSG_H
#define SCENE_MSG_H

#include "scene.h"
#include <limits.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#ifndef MSG_EXCEPT
#define MSG_EXCEPT 020000
#endif
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

enum { TEXT_MAX = 8192 };

struct message {
    long type;
    char text[TEXT_MAX];
};

SCENE_API int q_new(void)
{
    int q = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

    need(q != -1, "msgget");
    return q;
}

SCENE_API void q_remove(int q) { need(msgctl(q, IPC_RMID, NULL) == 0, "msgctl IPC_RMID"); }

SCENE_API void q_limit(int q, unsigned long bytes)
{
    struct msqid_ds ds;

    need(msgctl(q, IPC_STAT, &ds) == 0, "msgctl IPC_STAT");
    ds.msg_qbytes = bytes;
    need(msgctl(q, IPC_SET, &ds) == 0, "msgctl IPC_SET");
}

/* Sends without a word. */
SCENE_API int put(int q, long type, const char *text, int flags)
{
    struct message message;
    size_t length = strlen(text);

    message.type = type;
    memcpy(message.text, text, length);
    return msgsnd(q, &message, length, flags);
}

SCENE_API int snd(int q, long type, const char *text, int flags)
{
    int sent = put(q, type, text, flags);

    say("msgsnd(type %ld, \"%s\") %s", type, text, result(sent));
    return sent;
}

/* A message of `size` bytes that all are `fill`. */
SCENE_API int put_size(int q, long type, char fill, size_t size, int flags)
{
    struct message message;

    message.type = type;
    memset(message.text, fill, size);
    return msgsnd(q, &message, size, flags);
}

SCENE_API int snd_size(int q, long type, char fill, size_t size, int flags)
{
    int sent = put_size(q, type, fill, size, flags);

    say("msgsnd(type %ld, %zu x '%c') %s", type, size, fill, result(sent));
    return sent;
}

/* "= 5 type 1 "hello"", the end of a long text left out. */
SCENE_API void say_received(const char *call, ssize_t received, const struct message *message)
{
    if (received == -1)
        say("%s %s", call, result(received));
    else
        say("%s = %zd type %ld \"%.*s\"", call, received, message->type, received > 16 ? 16 : (int)received,
            message->text);
}

SCENE_API ssize_t rcv_size(int q, size_t size, long type, int flags)
{
    struct message message = {.type = -77, .text = ""};
    ssize_t received = msgrcv(q, &message, size, type, flags);
    int saved = errno;
    char call[64];

    snprintf(call, sizeof call, "msgrcv(%zu, %ld%s%s%s%s)", size, type, flags & IPC_NOWAIT ? ", NOWAIT" : "",
             flags & MSG_NOERROR ? ", NOERROR" : "", flags & MSG_EXCEPT ? ", EXCEPT" : "",
             flags & MSG_COPY ? ", COPY" : "");
    errno = saved;
    say_received(call, received, &message);
    if (received == -1 && message.type != -77)
        say("a failed msgrcv wrote type %ld", message.type);
    errno = saved;
    return received;
}

SCENE_API ssize_t rcv(int q, long type, int flags) { return rcv_size(q, TEXT_MAX, type, flags); }

/* Takes everything that is there. */
SCENE_API void drain(int q)
{
    while (rcv(q, 0, IPC_NOWAIT) != -1)
        ;
}

/* Sends until the queue is full; what was sent stays unsaid. */
SCENE_API void q_fill(int q, long type, size_t size)
{
    while (put_size(q, type, 'f', size, IPC_NOWAIT) == 0)
        ;
    need(errno == EAGAIN, "q_fill");
}

SCENE_API void q_state(int q)
{
    struct msqid_ds ds;

    if (msgctl(q, IPC_STAT, &ds) == -1) {
        say("IPC_STAT %s", result(-1));
        return;
    }
    say("queue: %lu messages, %lu of %lu bytes, last sent by %s, last received by %s, stime %s, rtime %s",
        (unsigned long)ds.msg_qnum, (unsigned long)ds.__msg_cbytes, (unsigned long)ds.msg_qbytes, who(ds.msg_lspid),
        who(ds.msg_lrpid), ds.msg_stime ? "set" : "0", ds.msg_rtime ? "set" : "0");
}

#endif
