/* A recorded run: one command a line, its number, worker, name and arguments. */
#include "differential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *file;
static struct command *commands;
static long count, taken;

static bool read_all(const char *path);

bool script_open(const char *path, bool for_writing)
{
    if (!for_writing)
        return read_all(path);
    file = fopen(path, "we");
    /* By the line: exit in a worker would write out again what is buffered when the stage forks. */
    return file && setvbuf(file, NULL, _IOLBF, 1024) == 0;
}

void script_write(const struct command *c)
{
    if (!file)
        return;
    fprintf(file, "%ld %d %s", c->number, c->worker, op_names[c->op]);
    for (int i = 0; i < op_args[c->op]; i++)
        fprintf(file, " %ld", c->a[i]);
    fputc('\n', file);
}

static bool op_named(const char *name, enum op *op)
{
    for (int i = 0; i < OPS; i++)
        if (strcmp(op_names[i], name) == 0) {
            *op = (enum op)i;
            return true;
        }
    return false;
}

/* False at the end of the script; a line that is no command ends the program. */
static bool parse(FILE *from, struct command *c)
{
    char name[32];
    memset(c, 0, sizeof *c);
    int fields = fscanf(from, "%ld %d %31s", &c->number, &c->worker, name);
    if (fields == EOF)
        return false;
    bool good = fields == 3 && op_named(name, &c->op) && c->worker >= 0 && c->worker < WORKERS;
    for (int i = 0; good && i < op_args[c->op]; i++)
        good = fscanf(from, "%ld", &c->a[i]) == 1;
    if (!good) {
        fprintf(stderr, "differential: not a script: the line after %ld commands\n", count);
        exit(2);
    }
    return true;
}

static bool read_all(const char *path)
{
    FILE *from = fopen(path, "re");
    if (!from)
        return false;
    for (long room = 0;; count++) {
        if (count == room) {
            room = room ? room * 2 : 1024;
            commands = realloc(commands, (size_t)room * sizeof *commands);
            if (!commands)
                abort();
        }
        if (!parse(from, &commands[count]))
            break;
    }
    fclose(from);
    return true;
}

bool script_read(struct command *c)
{
    if (taken == count)
        return false;
    *c = commands[taken++];
    return true;
}
