/*
 * UNP vol. 2, chapter 6, svmsgread <pathname>: select cannot wait for a System V queue. A child waits in msgrcv, with
 * the message going straight into memory that it shares with the parent, and says so through a pipe, which select can wait for.
 */
#include "../../listing.h"
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/wait.h>

#define MAX_TEXT 8192

struct message {
    long type;
    char text[MAX_TEXT];
};

/* The pipe's word for the length, and the answer that the memory is free again. */
static void receive_all(int queue, struct message *message, int lengths, int free_again)
{
    ssize_t length;
    char byte;

    do {
        length = msgrcv(queue, message, MAX_TEXT, 0, 0);
        if (length == -1)
            err_sys("msgrcv error");
        if (write(lengths, &length, sizeof length) != (ssize_t)sizeof length)
            err_sys("write error");
    } while (read(free_again, &byte, 1) == 1);
    exit(0);
}

/* Waits; false when the child has ended. */
static int next_length(int lengths, ssize_t *length)
{
    fd_set readable;

    FD_ZERO(&readable);
    FD_SET(lengths, &readable);
    if (select(lengths + 1, &readable, NULL, NULL, NULL) == -1)
        err_sys("select error");
    return read(lengths, length, sizeof *length) == (ssize_t)sizeof *length;
}

int main(int argc, char **argv)
{
    struct message *message;
    int queue, lengths[2], free_again[2];
    ssize_t length;
    pid_t child;

    if (argc != 2)
        err_quit("usage: svmsgread <pathname>");
    message = mmap(NULL, sizeof *message, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (message == MAP_FAILED)
        err_sys("mmap error");
    queue = msgget(key_of(argv[1], 0), 0);
    if (queue == -1)
        err_sys("msgget error");
    if (pipe(lengths) == -1 || pipe(free_again) == -1)
        err_sys("pipe error");
    child = fork();
    if (child == -1)
        err_sys("fork error");
    if (child == 0) {
        close(lengths[0]);
        close(free_again[1]);
        receive_all(queue, message, lengths[1], free_again[0]);
    }
    close(lengths[1]);
    close(free_again[0]);
    while (next_length(lengths[0], &length)) {
        printf("read %ld bytes, type = %ld\n", (long)length, message->type);
        fflush(stdout);
        if (write(free_again[1], "", 1) != 1)
            err_sys("write error");
    }
    waitpid(child, NULL, 0);
    return 1;
}
