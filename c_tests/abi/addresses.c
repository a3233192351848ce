/* Every exported function is found in the object that is named on the command line, and has unwind
 * tables: without them a cancelled thread's unwinding would end at its frame. The build passes
 * EXPORTS, the path of a header with a line X(name) for each. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define X(name) void name(void);
#include EXPORTS
#undef X

void *_Unwind_FindEnclosingFunction(void *pc); /* libgcc */

static const struct export {
    const char *name;
    void (*address)(void);
} exports[] = {
#define X(name) {#name, name},
#include EXPORTS
#undef X
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int main(int argc, char **argv)
{
    int bad = 0;

    if (argc != 2)
        return 2;
    for (const struct export *e = exports; e < exports + sizeof exports / sizeof *exports; e++) {
        void *address = *(void **)&e->address;
        Dl_info info;
        const char *found = dladdr(address, &info) ? base_name(info.dli_fname) : "nowhere";

        if (strcmp(found, argv[1]) != 0) {
            printf("%s is found in %s\n", e->name, found);
            bad = 1;
        }
        if (_Unwind_FindEnclosingFunction((char *)address + 1) != address) {
            printf("%s has no unwind tables\n", e->name);
            bad = 1;
        }
    }
    return bad;
}
