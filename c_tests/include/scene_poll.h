/* What poll, select and epoll say of a descriptor, in one line. */
#ifndef SCENE_POLL_H
#define SCENE_POLL_H

#include "scene_mq.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

enum { ALL_EVENTS = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLWRNORM | POLLRDBAND | POLLWRBAND };

SCENE_API const char *event_names(int events)
{
    static const struct {
        int bit;
        const char *name;
    } names[] = {{POLLIN, "IN "},         {POLLRDNORM, "RDNORM "}, {POLLOUT, "OUT "},       {POLLWRNORM, "WRNORM "},
                 {POLLPRI, "PRI "},       {POLLERR, "ERR "},       {POLLHUP, "HUP "},       {POLLNVAL, "NVAL "},
                 {POLLRDBAND, "RDBAND "}, {POLLWRBAND, "WRBAND "}, {POLLRDHUP, "RDHUP "}};
    static __thread char text[8][80];
    static __thread unsigned next;
    char *mine = text[next++ % 8];

    mine[0] = 0;
    for (size_t i = 0; i < LENGTH(names); i++)
        if (events & names[i].bit)
            strcat(mine, names[i].name);
    if (mine[0] == 0)
        return "-";
    mine[strlen(mine) - 1] = 0;
    return mine;
}

SCENE_API int events_of(int file)
{
    struct pollfd entry = {file, ALL_EVENTS, 0};

    need(poll(&entry, 1, 0) != -1, "poll");
    return entry.revents;
}

SCENE_API void say_poll(int file) { say("poll: %s", event_names(events_of(file))); }

SCENE_API void say_epoll(int set, const char *when)
{
    struct epoll_event event = {0, {0}};
    int found = epoll_wait(set, &event, 1, 0);

    say("%s: %d %s", when, found, event_names((int)event.events));
}

/* All five calls, whose answers should agree. */
SCENE_API void say_ready(int file)
{
    struct pollfd entry = {file, ALL_EVENTS, 0};
    struct epoll_event event = {EPOLLIN | EPOLLOUT, {0}};
    struct timespec none = {0, 0};
    struct timeval none_at_all = {0, 0};
    fd_set readable, writable, exceptional, readable2, writable2;
    int selected, pselected, set = epoll_create1(EPOLL_CLOEXEC), found;

    FD_ZERO(&readable);
    FD_SET(file, &readable);
    writable = exceptional = readable2 = writable2 = readable;
    ppoll(&entry, 1, &none, NULL);
    selected = select(file + 1, &readable, &writable, &exceptional, &none_at_all);
    pselected = pselect(file + 1, &readable2, &writable2, NULL, &none, NULL);
    need(epoll_ctl(set, EPOLL_CTL_ADD, file, &event) == 0, "epoll_ctl");
    event.events = 0;
    found = epoll_wait(set, &event, 1, 0);
    close(set);
    say("ppoll %s, select %d %s%s%s, pselect %d %s%s, epoll %d %s", event_names(entry.revents), selected,
        FD_ISSET(file, &readable) ? "r" : "-", FD_ISSET(file, &writable) ? "w" : "-",
        FD_ISSET(file, &exceptional) ? "x" : "-", pselected, FD_ISSET(file, &readable2) ? "r" : "-",
        FD_ISSET(file, &writable2) ? "w" : "-", found, event_names((int)event.events));
}

#endif
