/* TLPI 46, listing 46-7: what the file server and its clients say to each other. */
#ifndef SVMSG_FILE_H
#define SVMSG_FILE_H

#include "listing.h"
#include <limits.h>
#include <stddef.h>

#define SERVER_KEY 0x1aaaaaa1

struct request {
    long type; /* not looked at */
    int client;
    char pathname[PATH_MAX];
};
#define REQUEST_SIZE (sizeof(struct request) - offsetof(struct request, client))

struct response {
    long type;
    char data[8192];
};

enum { RESPONSE_FAILURE = 1, RESPONSE_DATA, RESPONSE_END };

#endif
