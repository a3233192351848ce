/*
 * TLPI 45, listing 45-1: svmsg_demo_server: a server that finds the queue of its predecessor removes it and makes
 * its own. The book's reader writes the path of a file into it; here it is one of the current directory.
 */
#include "listing.h"

#define KEY_FILE "key-file"

int main(void)
{
    key_t key = ftok(KEY_FILE, 1);
    int id;

    if (key == -1)
        fail_in("ftok");
    while ((id = msgget(key, IPC_CREAT | IPC_EXCL | S_IRUSR | S_IWUSR)) == -1) {
        if (errno != EEXIST)
            fail_in("msgget() failed");
        id = msgget(key, 0);
        if (id == -1)
            fail_in("msgget() failed to retrieve old queue ID");
        if (msgctl(id, IPC_RMID, NULL) == -1)
            fail_in("msgget() failed to delete old queue");
        printf("Removed old message queue (id=%d)\n", id);
    }
    printf("Queue created (id=%d)\n", id);
    return 0;
}
