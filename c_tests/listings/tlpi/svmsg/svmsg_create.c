/* TLPI 46, listing 46-1: svmsg_create [-cx] {-f pathname | -k key | -p} [octal-perms]: makes or opens a queue, prints its id. */
#include "../key_options.h"

int main(int argc, char **argv)
{
    struct key_options chosen = key_options(argc, argv, KEY_OPTIONS " [octal-perms]");
    int id = msgget(chosen.key, chosen.flags | permissions(argc, argv, optind));

    if (id == -1)
        fail_in("msgget");
    printf("%d\n", id);
    return 0;
}
