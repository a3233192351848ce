/* UNP vol. 2, chapter 4: the messages between client and server, here and in svmsgmpx1q and svmsgmpxnq. */
#ifndef MESG_H
#define MESG_H

#include "../../listing.h"
#include <limits.h>

/* With the two longs before it, what a pipe takes at once. */
#define MAX_MESG_DATA (PIPE_BUF - 2 * sizeof(long))

struct mymesg {
    long mesg_len; /* bytes in mesg_data; 0 ends an answer */
    long mesg_type;
    char mesg_data[MAX_MESG_DATA];
};

void mesg_send(int queue, const struct mymesg *message);
/* Takes a message of the type that is in `message` (0: any), sets the rest of it, and a zero byte behind. The length. */
ssize_t mesg_recv(int queue, struct mymesg *message);

/* The client's: a line of standard input behind the text that is there. */
void mesg_read_path(struct mymesg *message);
/* The client's: shows the messages of that type until the end. */
void mesg_show(int queue, struct mymesg *message);
/* The server's: the lines of the file that the message names, each in one of that type, or why there are none; the end. */
void mesg_send_file(int queue, struct mymesg *message);
/* The server's: of a request "number path" the number, with mesg_data only the path; or -1, having said what is wrong. */
long mesg_asker(struct mymesg *message);

#endif
