/* What the scenes of System V semaphores and of shared memory have in common. */
#ifndef SCENE_IPC_H
#define SCENE_IPC_H

#include "scene.h"
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <sys/ipc.h>

/* Uids that the scenes play with; root's own is 0. */
enum { STRANGER = 1000, OTHER = 1001 };

/* ---- pointers that lead nowhere ---- */

/* The address right behind a page that may be read and written; nothing may be done there. */
SCENE_API char *page_end(void)
{
    long size = sysconf(_SC_PAGESIZE);
    char *pages = (char *)mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    need(pages != MAP_FAILED && mprotect(pages + size, size, PROT_NONE) == 0, "mmap");
    return pages + size;
}

/* May be read, not written. */
SCENE_API void *read_only_page(void)
{
    void *page = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    need(page != MAP_FAILED, "mmap");
    return page;
}

/* Outside of what a process may address at all. */
SCENE_API void *kernel_address(void) { return (void *)-8192L; }

/* ---- what IPC_STAT says ---- */

SCENE_API void say_perm(const struct ipc_perm *perm, key_t key, int id)
{
    say("key %s, uid %d gid %d, by %d %d, mode %o, seq %s", perm->__key == key ? "as given" : "another",
        (int)perm->uid, (int)perm->gid, (int)perm->cuid, (int)perm->cgid, (unsigned)perm->mode,
        perm->__seq == id >> 15 ? "of the id" : "another");
}

/* A second later, every time that is set anew differs from what it was. */
SCENE_API void next_second(void) { sleep_ms(1100); }

SCENE_API const char *moved(time_t before, time_t after)
{
    if (after == 0)
        return "0";
    if (after == before)
        return "same";
    return after > before && labs(time(NULL) - after) <= 30 ? "moved" : "wrong";
}

/* ---- gates: pipes that an exec or an end closes ---- */

/*
 * Looking at a process through /proc for a moment keeps its memory, and with it its attachments; a pipe
 * does not. gate_wait returns when every process that holds the gate has called gate_close, executed
 * another program or ended.
 */
struct gate {
    int in;
    int out;
};

SCENE_API struct gate gate_new(void)
{
    int ends[2];

    need(pipe2(ends, O_CLOEXEC) == 0, "pipe2");
    return (struct gate){ends[0], ends[1]};
}

SCENE_API void gate_close(const struct gate *gate) { close(gate->out); }

SCENE_API void gate_wait(const struct gate *gate)
{
    char byte;

    close(gate->out);
    while (read(gate->in, &byte, 1) == -1)
        need(errno == EINTR, "read");
    close(gate->in);
}

/* Waits until an actor executes the program of that name. */
SCENE_API void wait_program(const struct actor *actor, const char *name)
{
    char path[64], comm[32] = "";
    size_t length = strlen(name);

    snprintf(path, sizeof path, "/proc/%d/comm", (int)actor->pid);
    while (strncmp(comm, name, length) != 0 || comm[length] != '\n') {
        int file = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t got = read(file, comm, sizeof comm - 1);
        comm[got > 0 ? got : 0] = 0;
        close(file);
        usleep(500);
    }
}

/* Waits until an actor has said that it is there, without a look at it. */
SCENE_API void wait_arrived(struct actor *actor)
{
    actor->awaited++;
    while (__atomic_load_n(&actor->arrived, __ATOMIC_SEQ_CST) < actor->awaited)
        usleep(500);
}

/* ---- other users ---- */

/* A user in no group but its own, whatever groups root is in. */
SCENE_API void become_user(uid_t uid, gid_t gid)
{
    need(setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0, "setuid");
}

/* libc has it, but no header of libc's. */
int capset(cap_user_header_t header, const cap_user_data_t data);

/* Root as it is in many sandboxes: the uid is 0, and that is all. */
SCENE_API void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2];

    memset(none, 0, sizeof none);
    need(capset(&header, none) == 0, "capset");
}

struct as_user {
    uid_t uid;
    gid_t gid;
    void (*body)(void *);
    void *arg;
};

SCENE_API void act_as_user(void *argument)
{
    const struct as_user *user = (const struct as_user *)argument;

    become_user(user->uid, user->gid);
    user->body(user->arg);
}

/* Runs `body` as another user, to its end. */
SCENE_API void as_user(const char *name, uid_t uid, gid_t gid, void (*body)(void *), void *arg)
{
    struct as_user user = {uid, gid, body, arg};

    finish(spawn(name, act_as_user, &user));
}

#endif
