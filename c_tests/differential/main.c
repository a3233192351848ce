/* The command line of the differential test. */
#include "generate.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: differential [--seed N] [--calls N] [--only all|queues|semaphores|memory] [--avoid NAME]...\n"
    "                    [--cpu N] [--no-copy] [--record FILE]\n"
    "       differential --replay FILE [--cpu N]\n"
    "       differential --compare KNOWN KERNEL-TRACE USIPC-TRACE\n";

enum { SEED = 256, CALLS, ONLY, AVOID, CPU, NO_COPY, RECORD, REPLAY, COMPARE, WORKER };

static const struct option options[] = {
    { "seed", required_argument, NULL, SEED },     { "calls", required_argument, NULL, CALLS },
    { "only", required_argument, NULL, ONLY },
    { "avoid", required_argument, NULL, AVOID },   { "cpu", required_argument, NULL, CPU },
    { "no-copy", no_argument, NULL, NO_COPY },     { "record", required_argument, NULL, RECORD },
    { "replay", required_argument, NULL, REPLAY }, { "compare", no_argument, NULL, COMPARE },
    { "worker", required_argument, NULL, WORKER }, { NULL, 0, NULL, 0 },
};

struct run {
    struct generator generator;
    long calls;
    int cpu;
    bool replays;
};

static int refuse(const char *why, const char *what)
{
    fprintf(stderr, "differential: %s %s\n%s", why, what, usage);
    exit(2);
}

static void take_option(struct run *run, int option)
{
    switch (option) {
    case SEED: run->generator.random.state = strtoull(optarg, NULL, 0) * 0x2545f4914f6cdd1d; break;
    case CALLS: run->calls = strtol(optarg, NULL, 0); break;
    case CPU: run->cpu = atoi(optarg); break;
    case NO_COPY: run->generator.no_copy = true; break;
    case ONLY:
        if (!generator_only(&run->generator, optarg))
            refuse("there is no kind of run called", optarg);
        break;
    case AVOID:
        if (!generator_avoid(&run->generator, optarg))
            refuse("there is nothing to avoid called", optarg);
        break;
    case RECORD: case REPLAY:
        run->replays = option == REPLAY;
        if (!script_open(optarg, option == RECORD))
            refuse("cannot open", optarg);
        break;
    default: refuse("bad", "option");
    }
}

static bool next_command(struct run *run, struct model *m, struct command *c)
{
    if (run->replays)
        return script_read(c);
    if (m->calls >= run->calls)
        return false;
    generate(&run->generator, m, c);
    script_write(c);
    return true;
}

static int play(struct run *run)
{
    struct model model;
    struct command c;
    bool goes_on = true;
    if (!stage_start(&model, run->cpu)) {
        perror("differential: cannot set up the stage");
        return 2;
    }
    model.idle_undo_differs = avoided(&run->generator, AVOID_IDLE_UNDO);
    model.removed_lingers = avoided(&run->generator, AVOID_LINGER);
    long number = 0;
    while (goes_on && next_command(run, &model, &c)) {
        number = c.number;
        goes_on = stage_perform(&model, &c);
    }
    stage_finish(&model, number + 1);
    put("%s after %ld calls\n", goes_on ? "done" : "STOPPED", model.calls);
    put_flush();
    return goes_on ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct run run = { .calls = 1000, .cpu = -1 };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == WORKER)
            worker_reexecuted(atoi(optarg));
        if (option == COMPARE) {
            if (argc - optind != 3)
                refuse("--compare takes", "three files");
            return compare(argv[optind], argv[optind + 1], argv[optind + 2]);
        }
        take_option(&run, option);
    }
    if (optind != argc)
        refuse("what is", argv[optind]);
    return play(&run);
}
