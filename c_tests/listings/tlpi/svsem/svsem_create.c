/* TLPI 47, supplement: svsem_create [-cx] {-f pathname | -k key | -p} num-sems [octal-perms]: makes or opens a set, prints its id. */
#include "../key_options.h"
#include <sys/sem.h>

int main(int argc, char **argv)
{
    static const char arguments[] = KEY_OPTIONS " num-sems [octal-perms]";
    struct key_options chosen = key_options(argc, argv, arguments);
    int id;

    if (optind >= argc)
        usage(argv[0], arguments);
    id = semget(chosen.key, number(argv[optind], 10, "num-sems"),
                chosen.flags | permissions(argc, argv, optind + 1));
    if (id == -1)
        fail_in("semget");
    printf("%d\n", id);
    return 0;
}
