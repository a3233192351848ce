/* Compares two traces. A known difference is two patterns, one for the kernel's line and one for usipc's; what
 * their groups capture must be equal. */
#include "differential.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXT_LINES = 15, LINES_AFTER = 3, MAX_KNOWN = 64, GROUPS = 10, LINE_BYTES = 1024 };

static struct known {
    regex_t kernel, subject;
} known[MAX_KNOWN];
static int known_count;

struct trace {
    FILE *file;
    char line[LINE_BYTES];
    bool ended;
};

static char context[CONTEXT_LINES][LINE_BYTES];
static long lines, calls, queue_calls;

static bool compile(regex_t *regex, const char *pattern)
{
    char whole[LINE_BYTES], error[200];
    snprintf(whole, sizeof whole, "^%s$", pattern);
    int code = regcomp(regex, whole, REG_EXTENDED);
    if (code != 0) {
        regerror(code, regex, error, sizeof error);
        fprintf(stderr, "differential: known difference '%s': %s\n", pattern, error);
    }
    return code == 0;
}

/* A line of the table: accept TAB kernel's pattern TAB usipc's pattern TAB reason. */
static bool read_known_line(char *line)
{
    char *rest = line, *kind = strsep(&rest, "\t");
    if (strcmp(kind, "accept") != 0)
        return true; /* comments, and what run.sh reads */
    char *kernel = strsep(&rest, "\t"), *subject = strsep(&rest, "\t");
    if (!kernel || !subject || !rest || !*rest || known_count == MAX_KNOWN) {
        fprintf(stderr, "differential: a known difference needs two patterns and a reason\n");
        return false;
    }
    struct known *k = &known[known_count++];
    if (!compile(&k->kernel, kernel) || !compile(&k->subject, subject))
        return false;
    if (k->kernel.re_nsub != k->subject.re_nsub)
        fprintf(stderr, "differential: known difference '%s': not the same number of groups\n", kernel);
    return k->kernel.re_nsub == k->subject.re_nsub;
}

static bool read_known(const char *path)
{
    char line[3 * LINE_BYTES];
    bool good = true;
    FILE *file = fopen(path, "re");
    if (!file) {
        perror(path);
        return false;
    }
    while (good && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        good = read_known_line(line);
    }
    fclose(file);
    return good;
}

static bool same_group(const char *a, regmatch_t in_a, const char *b, regmatch_t in_b)
{
    regoff_t length = in_a.rm_eo - in_a.rm_so;
    if (in_a.rm_so < 0 || in_b.rm_so < 0)
        return in_a.rm_so == in_b.rm_so;
    return length == in_b.rm_eo - in_b.rm_so && memcmp(a + in_a.rm_so, b + in_b.rm_so, (size_t)length) == 0;
}

static bool is_known(const char *kernel, const char *subject)
{
    regmatch_t in_kernel[GROUPS], in_subject[GROUPS];
    for (int i = 0; i < known_count; i++) {
        struct known *k = &known[i];
        bool same = regexec(&k->kernel, kernel, GROUPS, in_kernel, 0) == 0
            && regexec(&k->subject, subject, GROUPS, in_subject, 0) == 0;
        for (size_t group = 1; same && group <= k->kernel.re_nsub && group < GROUPS; group++)
            same = same_group(kernel, in_kernel[group], subject, in_subject[group]);
        if (same)
            return true;
    }
    return false;
}

static void next_line(struct trace *t)
{
    t->ended = !fgets(t->line, sizeof t->line, t->file);
    if (t->ended)
        strcpy(t->line, "(the trace ends here)");
    t->line[strcspn(t->line, "\n")] = 0;
}

static void show_rest(struct trace *t, const char *mark)
{
    for (int i = 0; i <= LINES_AFTER && !t->ended; i++) {
        printf("%s %s\n", mark, t->line);
        next_line(t);
    }
    if (t->ended)
        printf("%s %s\n", mark, t->line);
}

/* The lines before the difference are the same on both sides. */
static void show_difference(struct trace *kernel, struct trace *subject)
{
    printf("first difference after %ld equal calls:\n", calls);
    for (long i = lines > CONTEXT_LINES ? lines - CONTEXT_LINES : 0; i < lines; i++)
        printf("  %s\n", context[i % CONTEXT_LINES]);
    show_rest(kernel, "kernel:");
    show_rest(subject, "usipc: ");
}

/* Counts the calls of the library, not the forks, signals and the like between them. */
static void remember(const char *line)
{
    strcpy(context[lines++ % CONTEXT_LINES], line);
    if (line[0] != '#')
        return;
    bool on_queue = strstr(line, ") msg") || strstr(line, ") mq_");
    queue_calls += on_queue;
    calls += on_queue || strstr(line, ") sem") || strstr(line, ") shm");
}

static int compare_lines(struct trace *kernel, struct trace *subject)
{
    long accepted = 0;
    for (;;) {
        next_line(kernel);
        next_line(subject);
        if (kernel->ended && subject->ended)
            break;
        bool equal = strcmp(kernel->line, subject->line) == 0;
        if (!equal && !is_known(kernel->line, subject->line)) {
            show_difference(kernel, subject);
            return 1;
        }
        accepted += !equal;
        remember(kernel->line);
    }
    printf("%ld calls equal, %ld of them on queues, %ld lines but for a known difference\n", calls, queue_calls,
           accepted);
    return 0;
}

int compare(const char *known_path, const char *kernel_path, const char *subject_path)
{
    static struct trace kernel, subject;
    if (!read_known(known_path))
        return 2;
    kernel.file = fopen(kernel_path, "re");
    subject.file = fopen(subject_path, "re");
    if (!kernel.file || !subject.file) {
        perror("differential: cannot open a trace");
        return 2;
    }
    int status = compare_lines(&kernel, &subject);
    fclose(kernel.file);
    fclose(subject.file);
    return status;
}
