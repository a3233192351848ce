/*
 * System V semaphore calls that say what they did. Operations are written as text: "0-1" takes one from
 * semaphore 0, "2+3" adds three to semaphore 2, "1=0" waits for zero; letters behind them are flags: n
 * for IPC_NOWAIT, u for SEM_UNDO. "0-1u 1+1n" is an array of two.
 */
#ifndef SCENE_SEM_H
#define SCENE_SEM_H

#include "scene.h"
#include <limits.h>
#include <sys/ipc.h>
#include <sys/sem.h>

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif

/* SET_RETURNED counts the sleepers whose call came back. */
enum { SEM_KEY = 0x5ce4e, SEM_MAX = 32767, OPS_MAX = 500, SHOWN_MAX = 8, SET_RETURNED = COUNTERS - 1 };

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *info;
};

SCENE_API int ctl(int set, int number, int command) { return semctl(set, number, command, (union semun){0}); }
SCENE_API int ctl_val(int set, int number, int value)
{
    return semctl(set, number, SETVAL, (union semun){.val = value});
}
SCENE_API int ctl_buf(int set, int number, int command, void *buffer)
{
    return semctl(set, number, command, (union semun){.buf = (struct semid_ds *)buffer});
}
SCENE_API int ctl_array(int set, int command, unsigned short *values)
{
    return semctl(set, 0, command, (union semun){.array = values});
}

SCENE_API int set_new(int semaphores)
{
    int set = semget(IPC_PRIVATE, semaphores, IPC_CREAT | 0600);

    need(set != -1, "semget");
    return set;
}

SCENE_API void set_remove(int set) { need(ctl(set, 0, IPC_RMID) == 0, "semctl IPC_RMID"); }

/* An index is what SEM_STAT takes: the low bits of an identifier. */
SCENE_API int set_index(int set) { return set & 0x7fff; }

SCENE_API size_t parse_ops(const char *text, struct sembuf *ops)
{
    size_t total = 0;
    char *at = (char *)text;

    for (; *at != 0 && total < OPS_MAX; total++) {
        long amount;
        char sign;
        ops[total].sem_num = (unsigned short)strtol(at, &at, 10);
        sign = *at++;
        amount = strtol(at, &at, 10);
        ops[total].sem_op = (short)(sign == '-' ? -amount : amount);
        ops[total].sem_flg = 0;
        for (; *at != 0 && *at != ' '; at++)
            ops[total].sem_flg |= *at == 'n' ? IPC_NOWAIT : SEM_UNDO;
        while (*at == ' ')
            at++;
    }
    return total;
}

/* Without a word. */
SCENE_API int ops(int set, const char *text)
{
    struct sembuf list[OPS_MAX];

    return semop(set, list, parse_ops(text, list));
}

SCENE_API int op(int set, const char *text)
{
    int done = ops(set, text);

    say("semop(%s) %s", text, result(done));
    return done;
}

SCENE_API int op_for(int set, const char *text, long milliseconds)
{
    struct timespec span = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    struct sembuf list[OPS_MAX];
    int done = semtimedop(set, list, parse_ops(text, list), &span);

    say("semtimedop(%s, %ld ms) %s", text, milliseconds, result(done));
    return done;
}

SCENE_API int setval(int set, int number, int value)
{
    int done = ctl_val(set, number, value);

    say("SETVAL(%d, %d) %s", number, value, result(done));
    return done;
}

/* As many values as the set has, three at least. */
SCENE_API int setall(int set, int a, int b, int c)
{
    unsigned short values[] = {(unsigned short)a, (unsigned short)b, (unsigned short)c};
    int done = ctl_array(set, SETALL, values);

    say("SETALL %s", result(done));
    return done;
}

SCENE_API int value(int set, int number) { return ctl(set, number, GETVAL); }

/* "1 0 3" */
SCENE_API const char *each(int set, int total, int command)
{
    static __thread char text[4][SHOWN_MAX * 16];
    static __thread unsigned next;
    char *mine = text[next++ % 4], *at = mine;

    for (int i = 0; i < total && i < SHOWN_MAX; i++) {
        int answer = ctl(set, i, command);
        const char *blank = i == 0 ? "" : " ";
        if (command == GETPID && answer != -1)
            at += sprintf(at, "%s%s", blank, who(answer));
        else
            at += sprintf(at, "%s%d", blank, answer);
    }
    return mine;
}

/* Everything about a set but its permissions; only sets of 8 at most. */
SCENE_API void set_state(int set)
{
    struct semid_ds ds;
    int total;

    if (ctl_buf(set, 0, IPC_STAT, &ds) == -1) {
        say("IPC_STAT %s", result(-1));
        return;
    }
    total = (int)ds.sem_nsems;
    say("set: values %s, by %s, waiting n %s, z %s, otime %s", each(set, total, GETVAL), each(set, total, GETPID),
        each(set, total, GETNCNT), each(set, total, GETZCNT), ds.sem_otime ? "set" : "0");
}

/* ---- sleepers ---- */

struct sem_part {
    int set;
    int asleep_ms; /* the timeout of semtimedop; 0 is semop */
    const char *text;
};

SCENE_API void sem_sleeper(void *argument)
{
    const struct sem_part *part = (const struct sem_part *)argument;

    arrive();
    if (part->asleep_ms != 0)
        op_for(part->set, part->text, part->asleep_ms);
    else
        op(part->set, part->text);
    bump(SET_RETURNED);
}

SCENE_API struct sem_part *sem_part(int set, const char *text)
{
    struct sem_part *part = (struct sem_part *)malloc(sizeof *part);

    *part = (struct sem_part){set, 0, text};
    return part;
}

/* An actor asleep in semop, or gone through it. */
SCENE_API struct actor *sleeps(const char *name, int set, const char *text)
{
    struct actor *actor = spawn(name, sem_sleeper, sem_part(set, text));

    wait_blocked(actor);
    return actor;
}

SCENE_API struct actor *thread_sleeps(const char *name, int set, const char *text)
{
    struct actor *actor = spawn_thread(name, sem_sleeper, sem_part(set, text));

    wait_blocked(actor);
    return actor;
}

/* Waits until so many sleepers in all have come back, and a moment for those who should not. */
SCENE_API void came_back(int expected)
{
    await(SET_RETURNED, expected);
    sleep_ms(5);
    say("came back: %d", count(SET_RETURNED));
}

#endif
