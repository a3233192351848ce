/* The options of svmsg_create, svsem_create and svshm_create: how an object is found or made. */
#ifndef KEY_OPTIONS_H
#define KEY_OPTIONS_H

#include "listing.h"

#define KEY_OPTIONS "[-cx] {-f pathname | -k key | -p}"

struct key_options {
    key_t key;
    int flags;
};

LISTING_API key_t typed_key(const char *text)
{
    char *end;
    long key = strtol(text, &end, 0);

    if (end == text)
        bad_command_line("-k option requires a numeric argument");
    return (key_t)key;
}

/* Leaves optind at what follows the options. */
LISTING_API struct key_options key_options(int argc, char **argv, const char *arguments)
{
    struct key_options chosen = {.key = IPC_PRIVATE};
    int option, keys = 0;

    while ((option = getopt(argc, argv, "cxf:k:p")) != -1)
        switch (option) {
        case 'c': chosen.flags |= IPC_CREAT; break;
        case 'x': chosen.flags |= IPC_EXCL; break;
        case 'p': keys++; break;
        case 'k': chosen.key = typed_key(optarg); keys++; break;
        case 'f':
            chosen.key = ftok(optarg, 1);
            if (chosen.key == -1)
                fail_in("ftok");
            keys++;
            break;
        default: usage(argv[0], arguments);
        }
    if (keys != 1)
        bad_command_line("exactly one of the options -f, -k and -p must be supplied");
    return chosen;
}

/* The argument at that place, octal, or what stands for it: owner reads and writes. */
LISTING_API int permissions(int argc, char **argv, int place)
{
    return place < argc ? number(argv[place], 8, "octal-perms") : S_IRUSR | S_IWUSR;
}

#endif
