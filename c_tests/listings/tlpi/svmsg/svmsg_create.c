/* svmsg_create [-cx] {-f pathname | -k key | -p} [octal-perms]: makes or opens a queue, prints its id. */
#include "listing.h"

int main(int argc, char **argv)
{
    static const char arguments[] = "[-cx] {-f pathname | -k key | -p} [octal-perms]";
    int option, keys = 0, flags = 0, id;
    key_t key = IPC_PRIVATE;

    while ((option = getopt(argc, argv, "cxf:k:p")) != -1)
        switch (option) {
        case 'c': flags |= IPC_CREAT; break;
        case 'x': flags |= IPC_EXCL; break;
        case 'p': keys++; break;
        case 'k': key = (key_t)number(optarg, 0); keys++; break;
        case 'f':
            key = ftok(optarg, 1);
            if (key == -1)
                fail_in("ftok");
            keys++;
            break;
        default: usage(argv[0], arguments);
        }
    if (keys != 1)
        usage(argv[0], arguments);
    id = msgget(key, flags | (optind < argc ? (int)number(argv[optind], 8) : S_IRUSR | S_IWUSR));
    if (id == -1)
        fail_in("msgget");
    printf("%d\n", id);
    return 0;
}
