/* Crash points: see main.c. What a scenario consists of, and what its functions have at hand. */
#ifndef POINTS_H
#define POINTS_H

#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

enum { WAIT_MS = 3000, LONGEST = 4096 }; /* nothing takes longer than 1 s; the rest is for a busy machine */

struct scenario {
    const char *name;
    void (*prepare)(void);   /* makes the objects, before every run */
    void (*warm)(void);      /* the victim's first calls, not stepped; without, its call is its first */
    void (*call)(void);      /* stepped, and killed in it */
    void (*feed)(void);      /* once the victim is asleep in its call: what ends its sleep */
    void (*rival)(void);     /* another process's call, begun when the victim has come to its end, before it is killed */
    void (*second)(void);    /* the next caller's call, which repairs and changes nothing; it is stepped and killed too */
    int (*check)(int ended); /* how far the call came, which rises from 0 to what it is when it has ended */
    void (*clear)(void);     /* removes the objects */
    int quiet;               /* nobody calls after the kill: sleepers must find out themselves */
};

#define TABLE(kind) extern const struct scenario kind##_scenarios[]
TABLE(msg);
TABLE(msgctl);
TABLE(mq);
TABLE(sem);
TABLE(semctl);
TABLE(shm);
TABLE(named);

extern const struct scenario *scenario;
extern int fed;     /* whether `feed` has run */
extern int rivalled; /* whether `rival` has run; the rival then stays until the check ends it */
void end_of_rival(void);

/* A failure of this run, unless it holds. */
#define expect(holds, ...) ((holds) ? (void)0 : complain(__FILE__, __LINE__, __VA_ARGS__))
void complain(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The test itself cannot go on. */
#define need(holds, ...) ((holds) ? (void)0 : give_up(__VA_ARGS__))
void give_up(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* What a sleeper, a process that blocks in a call, has got. */
struct note {
    int done, error;
    long result, type;
    char text[LONGEST];
};

/* actors.c */
enum { SLEEPERS = 6 };
void make_sleepers(void);
/* Kills all that are there still. */
void end_sleepers(void);
/* The scenario's rival, after `first`, begins its call, and is in it or through it when this returns. */
void start_rival(void (*first)(void));
/* Starts sleeper `i` with `act`, and returns when it sleeps. */
void start_sleeper(int i, void (*act)(struct note *note));
/* Its note when it has ended within WAIT_MS; else a failure, and NULL. */
const struct note *await_sleeper(int i);
int is_done(int i);
/* Kills sleeper `i`, if it is there still. */
void end_sleeper(int i);
/* Where nobody calls (`quiet`): gives sleeper `i` a second to find out itself. */
void let_be(int i);
/* Runs `act` in a process of its own, to its end. */
void in_child(void (*act)(void));
/* How many names there are in a room of the namespace. */
int count_in(const char *room);
/* A text of `length` bytes that belongs to `number`. */
void fill_text(char *text, size_t length, unsigned number);
int is_text(const char *text, size_t length, unsigned number);

/* step.c */
struct trace {
    int length; /* steps until the call has ended */
    int forks;  /* whether it makes a process or a thread */
    int room;
    struct step {
        unsigned long pc;     /* where the next instruction is */
        unsigned char change; /* the world outside of the process may be another than a step before */
    } *steps;
};
/* Forks a traced process that stops before `call`. */
pid_t start_stepped(void (*warm)(void), void (*call)(void));
/* Lets it come to where the `n`th step of a way leads: the place, and how often it had been there; if `n` is beyond
 * its end, to the end. Whether the call has ended. */
int step_to(pid_t pid, const struct trace *way, int n);
/* The same by single steps, until it leaves the way. */
int step_along(pid_t pid, const struct trace *way, int n);
/* Steps it to the end, and notes its way. */
void trace_to_end(pid_t pid, struct trace *trace);
unsigned long pc_of(pid_t pid);
void kill_and_reap(pid_t pid);
int is_asleep(pid_t pid);
long now_ms(void);

#endif
