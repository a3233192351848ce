/*
 * TLPI 47, solution of exercise 47-5: t_event_flags semid {set | clear | wait | state} flag: one call of the library
 * (a program of ours).
 */
#include "event_flags.h"
#include "listing.h"

int main(int argc, char **argv)
{
    bool is_set = false;
    int id, flag, done;

    if (argc != 4)
        usage(argv[0], "semid {set | clear | wait | state} flag");
    id = number(argv[1], 10, "semid");
    flag = number(argv[3], 10, "flag");
    switch (argv[2][0]) {
    case 's': done = argv[2][1] == 'e' ? setEventFlag(id, flag) : getFlagState(id, flag, &is_set); break;
    case 'c': done = clearEventFlag(id, flag); break;
    case 'w': done = waitForEventFlag(id, flag); break;
    default: usage(argv[0], "semid {set | clear | wait | state} flag");
    }
    if (done == -1)
        fail_in("%s", argv[2]);
    printf("%s %s\n", argv[2], argv[2][1] == 't' ? is_set ? "set" : "clear" : "done");
    return 0;
}
