/* UNP vol. 2, chapter 6, msgrcvid <mqid>: takes a message of a queue that it has never got, by identifier alone. */
#include "../../listing.h"

int main(int argc, char **argv)
{
    static struct { long type; char text[8192]; } message;
    ssize_t length;

    if (argc != 2)
        err_quit("usage: msgrcvid <mqid>");
    length = msgrcv(atoi(argv[1]), &message, sizeof message.text, 0, 0);
    if (length == -1)
        err_sys("msgrcv error");
    printf("read %ld bytes, type = %ld\n", (long)length, message.type);
    return 0;
}
