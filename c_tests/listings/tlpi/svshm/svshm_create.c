/* TLPI 48, supplement: svshm_create [-cx] {-f pathname | -k key | -p} seg-size [octal-perms]: makes or opens a segment, prints its id. */
#include "../key_options.h"
#include <sys/shm.h>

int main(int argc, char **argv)
{
    static const char arguments[] = KEY_OPTIONS " seg-size [octal-perms]";
    struct key_options chosen = key_options(argc, argv, arguments);
    int id;

    if (optind >= argc)
        usage(argv[0], arguments);
    id = shmget(chosen.key, (size_t)atol(argv[optind]), chosen.flags | permissions(argc, argv, optind + 1));
    if (id == -1)
        fail_in("shmget");
    printf("%d\n", id);
    return 0;
}
