/* Descriptors that are passed over a Unix socket. */
#ifndef SCENE_PASS_H
#define SCENE_PASS_H

#include "scene.h"
#include <sys/socket.h>

union control {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
};

SCENE_API void hand_over(int channel, int file)
{
    union control control;
    struct iovec vector = {(char[1]){'x'}, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};

    memset(&control, 0, sizeof control);
    message.msg_control = control.space;
    message.msg_controllen = sizeof control.space;
    control.header = (struct cmsghdr){CMSG_LEN(sizeof file), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &file, sizeof file);
    need(sendmsg(channel, &message, 0) == 1, "sendmsg");
}

SCENE_API int take_over(int channel)
{
    union control control;
    struct iovec vector = {(char[1]){0}, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    int file;

    message.msg_control = control.space;
    message.msg_controllen = sizeof control.space;
    need(recvmsg(channel, &message, 0) == 1, "recvmsg");
    memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof file);
    return file;
}

#endif
