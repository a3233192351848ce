/* UNP vol. 2, chapter 4: what the clients and servers of the three directories do alike. */
#include "mesg.h"

void mesg_read_path(struct mymesg *message)
{
    size_t length = strlen(message->mesg_data);

    if (!fgets(message->mesg_data + length, (int)(MAX_MESG_DATA - length), stdin))
        message->mesg_data[length] = '\0';
    message->mesg_data[strcspn(message->mesg_data, "\n")] = '\0';
    message->mesg_len = (long)strlen(message->mesg_data);
}

void mesg_show(int queue, struct mymesg *message)
{
    long type = message->mesg_type;
    ssize_t length;

    while ((length = mesg_recv(queue, message)) > 0) {
        if (write(STDOUT_FILENO, message->mesg_data, (size_t)length) != length)
            err_sys("write error");
        message->mesg_type = type;
    }
}

static void send_text(int queue, struct mymesg *message)
{
    message->mesg_len = (long)strlen(message->mesg_data);
    mesg_send(queue, message);
}

long mesg_asker(struct mymesg *message)
{
    char *path = strchr(message->mesg_data, ' ');
    long number;

    if (message->mesg_len == 0) {
        err_msg("pathname missing");
        return -1;
    }
    if (!path) {
        err_msg("bogus request: %s", message->mesg_data);
        return -1;
    }
    number = atol(message->mesg_data);
    memmove(message->mesg_data, path + 1, strlen(path));
    return number;
}

void mesg_send_file(int queue, struct mymesg *message)
{
    FILE *file = fopen(message->mesg_data, "r");
    const char *why = strerror(errno);

    if (file) {
        while (fgets(message->mesg_data, MAX_MESG_DATA, file))
            send_text(queue, message);
        fclose(file);
    } else {
        size_t length = strlen(message->mesg_data);
        snprintf(message->mesg_data + length, MAX_MESG_DATA - length, ": can't open, %s\n", why);
        send_text(queue, message);
    }
    message->mesg_data[0] = '\0';
    send_text(queue, message);
}
