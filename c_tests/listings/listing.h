/*
 * What the ports of the books' programs share: ends with a message. The programs have the names, command
 * lines, output and exit status of those in "The Linux Programming Interface", chapters 46 and 52; the
 * code is our own.
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

/* The name of the call that failed, and why. */
__attribute__((noreturn)) LISTING_API void fail_in(const char *call)
{
    const char *name = strerrorname_np(errno);

    fflush(stdout);
    fprintf(stderr, "ERROR [%s %s] %s\n", name ? name : "?", strerror(errno), call);
    exit(EXIT_FAILURE);
}

__attribute__((noreturn)) LISTING_API void usage(const char *program, const char *arguments)
{
    fprintf(stderr, "Usage: %s %s\n", program, arguments);
    exit(EXIT_FAILURE);
}

LISTING_API long number(const char *text, int base)
{
    char *end;
    long value = strtol(text, &end, base);

    if (end == text || *end) {
        fprintf(stderr, "not a number: %s\n", text);
        exit(EXIT_FAILURE);
    }
    return value;
}

#endif
