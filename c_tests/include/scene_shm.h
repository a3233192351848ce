/* System V shared memory calls that say what they did; addresses and identifiers are not shown. */
#ifndef SCENE_SHM_H
#define SCENE_SHM_H

#include "scene_ipc.h"
#include <sys/shm.h>

#ifndef SHM_EXEC
#define SHM_EXEC 0100000
#endif
#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
/* In <asm/shmbuf.h> and <linux/shm.h>, which do not go together with <sys/shm.h>. */
#ifndef SHM_DEST
#define SHM_DEST 01000
#define SHM_LOCKED 02000
#endif

enum { SHM_KEY = 0x5ce45, PAGE = 4096 };

#define FAILED ((char *)-1)

SCENE_API int seg_new(size_t size)
{
    int segment = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);

    need(segment != -1, "shmget");
    return segment;
}

SCENE_API int seg_remove(int segment) { return shmctl(segment, IPC_RMID, NULL); }

/* Attaches without a word. */
SCENE_API char *attach(int segment, const void *address, int flags)
{
    return (char *)shmat(segment, address, flags);
}

SCENE_API char *must_attach(int segment)
{
    char *memory = attach(segment, NULL, 0);

    need(memory != FAILED, "shmat");
    return memory;
}

/* Says where it is relative to `address`, which NULL leaves out. */
SCENE_API char *at(const char *what, int segment, const void *address, int flags)
{
    char *memory = attach(segment, address, flags);

    if (memory == FAILED)
        say("shmat %s %s", what, result(-1));
    else if (address == NULL)
        say("shmat %s works", what);
    else
        say("shmat %s works, %ld bytes from where it was told", what, (long)(memory - (const char *)address));
    return memory;
}

SCENE_API int dt(const char *what, const void *address)
{
    int done = shmdt(address);

    say("shmdt %s %s", what, result(done));
    return done;
}

/* Room for `pages` pages where nothing is mapped, nor will be unless it is asked for: far from everything. */
SCENE_API char *free_place(size_t pages)
{
    static unsigned long next = 0x2000000000;
    void *place = (void *)next;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

    next += (pages + 16) * PAGE;
    need(mmap(place, pages * PAGE, PROT_NONE, flags, -1, 0) == place, "mmap");
    need(munmap(place, pages * PAGE) == 0, "munmap");
    return (char *)place;
}

/* Such a room, in use. */
SCENE_API char *taken_place(size_t pages)
{
    char *place = free_place(pages);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

    need(mmap(place, pages * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0) == place, "mmap");
    return place;
}

SCENE_API int nattch(int segment)
{
    struct shmid_ds ds;

    return shmctl(segment, IPC_STAT, &ds) == -1 ? -1 : (int)ds.shm_nattch;
}

SCENE_API void seg_state(int segment)
{
    struct shmid_ds ds;

    if (shmctl(segment, IPC_STAT, &ds) == -1) {
        say("IPC_STAT %s", result(-1));
        return;
    }
    say("segment: %zu bytes, %lu attached, made by %s, last %s, atime %s, dtime %s%s%s", ds.shm_segsz,
        (unsigned long)ds.shm_nattch, who(ds.shm_cpid), who(ds.shm_lpid), ds.shm_atime ? "set" : "0",
        ds.shm_dtime ? "set" : "0", ds.shm_perm.mode & SHM_DEST ? ", removed" : "",
        ds.shm_perm.mode & SHM_LOCKED ? ", locked" : "");
}

/* How an attempt to write, to read or to call code there ends, tried in a child. */
enum access { READING, WRITING, CALLING };

SCENE_API void touch(const char *what, char *memory, enum access access)
{
    int status;
    pid_t pid = fork();

    need(pid != -1, "fork");
    if (pid == 0) {
        volatile char *byte = memory;
        if (access == WRITING)
            *byte = 1;
        if (access == CALLING)
            _exit(((int (*)(void))memory)() == 42 ? 0 : 1);
        _exit(access == READING && *byte == 77 ? 77 : 0);
    }
    while (waitpid(pid, &status, 0) == -1)
        need(errno == EINTR, "waitpid");
    if (WIFSIGNALED(status))
        say("%s: %s", what, signal_name(WTERMSIG(status)));
    else
        say("%s: %s", what, WEXITSTATUS(status) == 1 ? "wrong" : "works");
}

#endif
