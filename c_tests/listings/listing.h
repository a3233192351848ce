/*
 * What the ports of the books' programs share: how they end with a message, and how they read numbers. The
 * programs have the names, command lines, output and exit status of those in "The Linux Programming Interface"
 * (tlpi/) and "UNIX Network Programming", volume 2 (unp/); the code is our own.
 */
#ifndef LISTING_H
#define LISTING_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define LISTING_API __attribute__((unused)) static

/* As on a terminal, also where the output is read by another program, or the process forks or is killed. */
__attribute__((constructor)) LISTING_API void print_by_lines(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

/* The ports of "The Linux Programming Interface" end in that book's way. */

#define SAY(before, format)                                                                                          \
    do {                                                                                                             \
        va_list words;                                                                                               \
        fflush(stdout);                                                                                              \
        fprintf(stderr, "%s", before);                                                                               \
        va_start(words, format);                                                                                     \
        vfprintf(stderr, format, words);                                                                             \
        va_end(words);                                                                                               \
        fputc('\n', stderr);                                                                                         \
    } while (0)

/* The name of the call that failed, and why. */
__attribute__((noreturn, format(printf, 1, 2))) LISTING_API void fail_in(const char *call, ...)
{
    const char *name = strerrorname_np(errno);
    char before[200];

    snprintf(before, sizeof before, "ERROR [%s %s] ", name ? name : "?", strerror(errno));
    SAY(before, call);
    exit(EXIT_FAILURE);
}

/* What went wrong without an errno. */
__attribute__((noreturn, format(printf, 1, 2))) LISTING_API void fatal(const char *format, ...)
{
    SAY("ERROR: ", format);
    exit(EXIT_FAILURE);
}

__attribute__((noreturn, format(printf, 1, 2))) LISTING_API void bad_command_line(const char *format, ...)
{
    SAY("Command-line usage error: ", format);
    exit(EXIT_FAILURE);
}

__attribute__((noreturn)) LISTING_API void usage(const char *program, const char *arguments)
{
    fprintf(stderr, "Usage: %s %s\n", program, arguments);
    exit(EXIT_FAILURE);
}

/* An argument that must be an int; base 0 takes 0x and 0 before it as C does. */
LISTING_API int number(const char *text, int base, const char *what)
{
    const char *wrong = NULL;
    char *end;
    long value;

    errno = 0;
    value = strtol(text, &end, base);
    if (!*text)
        wrong = "null or empty string";
    else if (*end)
        wrong = "nonnumeric characters";
    else if (errno || value != (int)value)
        wrong = "integer out of range";
    if (wrong) {
        fprintf(stderr, "getInt error (in %s): %s\n        offending text: %s\n", what, wrong, text);
        exit(EXIT_FAILURE);
    }
    return (int)value;
}

/* The ports of "UNIX Network Programming", volume 2, end and name things in that book's way. */

LISTING_API void tell(int error, const char *format, va_list words)
{
    fflush(stdout);
    vfprintf(stderr, format, words);
    fprintf(stderr, "%s%s\n", error ? ": " : "", error ? strerror(error) : "");
}

/* What failed, and why. */
__attribute__((noreturn, format(printf, 1, 2))) LISTING_API void err_sys(const char *format, ...)
{
    va_list words;

    va_start(words, format);
    tell(errno, format, words);
    exit(1);
}

/* The same, and goes on. */
__attribute__((format(printf, 1, 2))) LISTING_API void err_ret(const char *format, ...)
{
    int error = errno;
    va_list words;

    va_start(words, format);
    tell(error, format, words);
    va_end(words);
}

/* A word that is no error of a call; goes on. */
__attribute__((format(printf, 1, 2))) LISTING_API void err_msg(const char *format, ...)
{
    va_list words;

    va_start(words, format);
    tell(0, format, words);
    va_end(words);
}

__attribute__((noreturn, format(printf, 1, 2))) LISTING_API void err_quit(const char *format, ...)
{
    va_list words;

    va_start(words, format);
    tell(0, format, words);
    exit(1);
}

#define FILE_MODE (S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH)
/* The bits of System V objects: owner and group read and write, or alter, others read. */
#define SVMSG_MODE 0644
#define SVSEM_MODE 0644
#define SVSHM_MODE 0644

LISTING_API key_t key_of(const char *path, int id)
{
    key_t key = ftok(path, id);

    if (key == -1)
        err_sys("ftok error for pathname \"%s\" and id %d", path, id);
    return key;
}

/* The name of a POSIX object: below the directory $PX_IPC_NAME, on Linux the root. Never freed. */
LISTING_API char *px_ipc_name(const char *name)
{
    const char *dir = getenv("PX_IPC_NAME");
    char *path;

    if (!dir)
        dir = "/tmp/";
    if (asprintf(&path, "%s%s%s", dir, *dir && dir[strlen(dir) - 1] == '/' ? "" : "/", name) == -1)
        err_sys("px_ipc_name error");
    return path;
}

#endif
