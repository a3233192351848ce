/*
 * bench list                                  all scenes
 * bench run [-t MS] [-c SAMPLES] ROW...       a line of JSON per sample; -t: its length, -c: how many
 *
 * A row is the name of a scene, with a number after a colon where the scene takes one: mq-pair:64. The same binary
 * measures the kernel, and usipc when that is preloaded. Each row has a process of its own.
 */
#define _GNU_SOURCE
#include "bench.h"
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { ROW_LIMIT_S = 60 };

struct job job;
char *reason;

static double sample_ms = 60;

typedef int visitor(const char *name, const struct job *row, void *argument);

static int visit_all(const struct scene *scenes, const char *prefix, struct job row, visitor *visit, void *argument)
{
    char name[80];

    for (; scenes->name; scenes++) {
        row.scene = scenes;
        snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "-" : "", scenes->name);
        if (visit(name, &row, argument))
            return 1;
    }
    return 0;
}

/* Every scene with everything that it can be played on. */
static int visit_scenes(visitor *visit, void *argument)
{
    int i;

    for (i = 0; channels[i]; i++) {
        struct job row = { .channel = channels[i], .kind = channels[i]->kind };

        if (visit_all(channel_scenes, row.kind->name, row, visit, argument) ||
            visit_all(channel_group_scenes, row.kind->name, row, visit, argument))
            return 1;
    }
    for (i = 0; doors[i]; i++) {
        struct job row = { .door = doors[i], .kind = doors[i]->kind };

        if (visit_all(door_scenes, row.kind->name, row, visit, argument))
            return 1;
    }
    for (i = 0; kinds[i]; i++) {
        struct job row = { .kind = kinds[i] };

        if (visit_all(kind_scenes, row.kind->name, row, visit, argument))
            return 1;
    }
    return visit_all(loose_scenes, "", (struct job){ 0 }, visit, argument);
}

static int print_scene(const char *name, const struct job *row, void *argument)
{
    const struct scene *scene = row->scene;
    char full[100];

    (void)argument;
    if (scene->number)
        snprintf(full, sizeof full, "%s:%ld", name, scene->preset);
    else
        snprintf(full, sizeof full, "%s", name);
    printf("%-28s %s%s%s%s [%s]\n", full, scene->what, scene->number ? "; number: " : "",
           scene->number ? scene->number : "", scene->place == ONE_CPU ? "; on one CPU" :
           scene->place == TWO_CPUS ? "; on two CPUs" : "", scene->per);
    return 0;
}

static int serial;

static int choose_scene(const char *name, const struct job *row, void *wanted)
{
    const char *text = (const char *)wanted;
    size_t length = strlen(name);

    if (strncmp(text, name, length) != 0 || (text[length] && text[length] != ':'))
        return 0;
    job = *row;
    job.serial = ++serial;
    job.number = text[length] ? atol(text + length + 1) : row->scene->preset;
    return 1;
}

/* So many operations that they take about as long as a sample is to take. */
static long calibrate(void)
{
    long procs = job.scene->procs == OF_NUMBER ? job.number : job.scene->procs;
    long n = 16 * (procs > 1 ? procs : 1);

    for (;;) {
        double spent = job.scene->run(n) * n, factor = job.sample_ns / (spent + 1);

        if (factor < 4)
            return factor * n >= 1 ? (long)(factor * n) : 1;
        n = (long)(n * (factor > 50 ? 50 : factor));
    }
}

static void measure(const char *row, int samples)
{
    long n = 0;

    raise_limit(RLIMIT_NOFILE);
    raise_limit(RLIMIT_MSGQUEUE);
    if (job.scene->place == TWO_CPUS) {
        cpu_set_t allowed;

        need(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "sched_getaffinity");
        if (CPU_COUNT(&allowed) < 2)
            die("needs two CPUs");
    }
    job.sample_ns = sample_ms * 1e6;
    if (job.scene->setup)
        job.scene->setup();
    if (!job.scene->once)
        n = calibrate();
    while (samples-- > 0) {
        double value = job.scene->run(n);

        printf("{\"row\":\"%s\",\"per\":\"%s\",\"value\":%.2f,\"n\":%ld}\n", row, job.scene->per, value, n);
        fflush(stdout);
    }
    if (job.scene->teardown)
        job.scene->teardown();
}

static void too_long(int signal) { (void)signal; }

/* Waits for a row's process, and ends what it may have left. Says whether all was well. */
static int see_it_end(pid_t pid)
{
    struct sigaction action = { .sa_handler = too_long };
    int status;

    sigaction(SIGALRM, &action, NULL);
    alarm(ROW_LIMIT_S);
    if (waitpid(pid, &status, 0) == -1) {
        snprintf(reason, 200, "took longer than %d s", ROW_LIMIT_S);
        kill(-pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    alarm(0);
    kill(-pid, SIGKILL);
    if (status != 0 && !reason[0])
        snprintf(reason, 200, "ended with status %#x", status);
    return status == 0;
}

static int measure_row(const char *row, int samples)
{
    pid_t pid;

    reason[0] = 0;
    if (!visit_scenes(choose_scene, (void *)row)) {
        printf("{\"row\":\"%s\",\"skip\":\"not measured here\"}\n", row);
        fflush(stdout);
        return 0;
    }
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        measure(row, samples);
        _exit(0);
    }
    need(pid != -1, "fork");
    setpgid(pid, pid);
    if (see_it_end(pid))
        return 1;
    printf("{\"row\":\"%s\",\"skip\":\"%s\"}\n", row, reason);
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    int option, samples = 1, measured = 1;

    reason = (char *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return visit_scenes(print_scene, NULL);
    if (argc < 3 || strcmp(argv[1], "run") != 0) {
        fprintf(stderr, "usage: %s list | run [-t MS] [-c SAMPLES] ROW...\n", argv[0]);
        return 2;
    }
    for (optind = 2; (option = getopt(argc, argv, "t:c:")) != -1;) {
        if (option == 't')
            sample_ms = atof(optarg);
        else if (option == 'c')
            samples = atoi(optarg);
        else
            return 2;
    }
    for (; optind < argc; optind++)
        measured &= measure_row(argv[optind], samples);
    return !measured;
}
