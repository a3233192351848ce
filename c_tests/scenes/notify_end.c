/*
 * What ends a registration of mq_notify: closing any descriptor of the queue in the registrant's
 * process, its end, exec (with close-on-exec); and what does not.
 */
#include "scene_mq.h"
#include <sys/syscall.h>

enum { GO, DONE };

static int try_register(mqd_t mqd, int number)
{
    struct sigevent event;

    memset(&event, 0, sizeof event);
    event.sigev_notify = number == 0 ? SIGEV_NONE : SIGEV_SIGNAL;
    event.sigev_signo = number;
    return mq_notify(mqd, &event);
}

/* Is the queue free for a registration? Leaves it as it was. */
static void say_free(mqd_t mqd)
{
    if (try_register(mqd, 0) == 0) {
        say("free");
        mq_notify(mqd, NULL);
    } else {
        say("taken: %s", errno_name(errno));
    }
}

/*
 * The registrant is a child with a descriptor of its own and one inherited; it does what the scene says
 * and stays, so that the stage can see whether the queue is free.
 */
struct part {
    mqd_t mqd;
    void (*deed)(mqd_t inherited, mqd_t own);
    int own_registers;
};

static void registrant(void *argument)
{
    struct part *part = argument;
    mqd_t own = mq_again(O_RDWR);

    say("registered %s", result(try_register(part->own_registers ? own : part->mqd, SIGUSR1)));
    part->deed(part->mqd, own);
    arrive();
    for (;;)
        pause();
}

static void after(void (*deed)(mqd_t, mqd_t), int own_registers)
{
    mqd_t mqd = mq_new(2);
    struct part part = {mqd, deed, own_registers};
    struct actor *actor = spawn("registrant", registrant, &part);

    wait_blocked(actor);
    say_free(mqd);
    kill_to_zombie(actor);
    say_free(mqd);
    finish(actor);
}

static void do_nothing(mqd_t inherited, mqd_t own) { (void)inherited, (void)own; }
static void do_mq_close(mqd_t inherited, mqd_t own) { (void)own, say("mq_close %s", result(mq_close(inherited))); }
static void do_close(mqd_t inherited, mqd_t own) { (void)own, say("close %s", result(close(inherited))); }
static void do_close_own(mqd_t inherited, mqd_t own) { (void)inherited, say("close %s", result(close(own))); }
static void do_mq_close_own(mqd_t inherited, mqd_t own) { (void)inherited, say("mq_close %s", result(mq_close(own))); }
static void do_unlink(mqd_t inherited, mqd_t own) { (void)inherited, (void)own, mq_unlink(MQ_NAME); }

static void do_close_a_duplicate(mqd_t inherited, mqd_t own)
{
    (void)own;
    say("close %s", result(close(dup(inherited))));
}

static void do_dup2_over(mqd_t inherited, mqd_t own)
{
    (void)own;
    say("dup2 %s", dup2(STDERR_FILENO, inherited) == inherited ? "= it" : "fails");
}

static void do_close_range(mqd_t inherited, mqd_t own)
{
    (void)own;
    say("close_range %s", result(close_range(inherited, inherited, 0)));
}

static void do_close_in_child(mqd_t inherited, mqd_t own)
{
    pid_t child = fork();

    if (child == 0) {
        close(inherited);
        mq_close(own);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void do_cancel_in_child(mqd_t inherited, mqd_t own)
{
    pid_t child = fork();

    (void)own;
    if (child == 0)
        _exit(mq_notify(inherited, NULL) != 0);
    waitpid(child, NULL, 0);
}

static void *close_it(void *argument)
{
    close(*(mqd_t *)argument);
    return NULL;
}

static void do_close_in_thread(mqd_t inherited, mqd_t own)
{
    pthread_t thread;

    (void)own;
    pthread_create(&thread, NULL, close_it, &inherited);
    pthread_join(thread, NULL);
}

static void do_close_another_queue(mqd_t inherited, mqd_t own)
{
    mqd_t other = mq_fresh(MQ_NAME2, 1, O_RDWR, 0600);

    (void)inherited, (void)own;
    mq_close(other);
    mq_unlink(MQ_NAME2);
}

static void nothing(void) { after(do_nothing, 0); }
static void mq_close_ends(void) { after(do_mq_close, 0); }
static void close_ends(void) { after(do_close, 0); }
static void close_of_another_descriptor(void) { after(do_close_own, 0); }
static void mq_close_of_another_descriptor(void) { after(do_mq_close_own, 0); }
static void close_of_the_first_descriptor(void) { after(do_close, 1); }
static void close_of_a_duplicate(void) { after(do_close_a_duplicate, 0); }
static void dup2_over(void) { after(do_dup2_over, 0); }
static void close_range_ends(void) { after(do_close_range, 0); }
static void close_in_child(void) { after(do_close_in_child, 0); }
static void cancel_in_child(void) { after(do_cancel_in_child, 0); }
static void close_in_thread(void) { after(do_close_in_thread, 0); }
static void close_of_another_queue(void) { after(do_close_another_queue, 0); }

static void unlink_does_not(void)
{
    mqd_t mqd = mq_new(2);
    struct part part = {mqd, do_unlink, 0};
    struct actor *actor = spawn("registrant", registrant, &part);

    wait_blocked(actor);
    say_free(mqd);
    mq_snd(mqd, "deadly", 0);
    finish(actor);
}

/* Ends of the process. */
static void exits(void *argument)
{
    say("registered %s", result(try_register(*(mqd_t *)argument, SIGUSR1)));
    _exit(0);
}

static void exit_ends(void)
{
    mqd_t mqd = mq_new(2);

    finish(spawn("registrant", exits, &mqd));
    say_free(mqd);
}

static void zombie_is_dead(void)
{
    mqd_t mqd = mq_new(2);
    struct actor *actor = spawn("registrant", exits, &mqd);
    siginfo_t info;

    waitid(P_PID, actor->pid, &info, WEXITED | WNOWAIT);
    say_free(mqd);
    mq_snd(mqd, "to nobody", 0);
    finish(actor);
}

/* A thread's end is not the process's. */
static void *register_and_end(void *argument)
{
    try_register(*(mqd_t *)argument, SIGUSR1);
    return NULL;
}

static void ends_a_thread(void *argument)
{
    pthread_t thread;

    pthread_create(&thread, NULL, register_and_end, argument);
    pthread_join(thread, NULL);
    arrive();
    for (;;)
        pause();
}

static void thread_end_does_not(void)
{
    mqd_t mqd = mq_new(2);
    struct actor *actor = spawn("registrant", ends_a_thread, &mqd);

    wait_blocked(actor);
    say_free(mqd);
    mq_snd(mqd, "deadly", 0);
    finish(actor);
}

/* exec closes the descriptor, unless it may not. */
static void becomes_sleep(void *argument)
{
    say("registered %s", result(try_register(*(mqd_t *)argument, SIGUSR1)));
    execlp("sleep", "sleep", "1000", (char *)NULL);
}

static void keeps_and_becomes_sleep(void *argument)
{
    mqd_t mqd = *(mqd_t *)argument;

    need(fcntl(mqd, F_SETFD, 0) == 0, "F_SETFD");
    becomes_sleep(argument);
}

static void wait_for_exec(const struct actor *actor)
{
    char path[64], name[16] = "";

    snprintf(path, sizeof path, "/proc/%d/comm", (int)actor->pid);
    while (strcmp(name, "sleep\n") != 0) {
        int file = open(path, O_RDONLY);
        ssize_t length = read(file, name, sizeof name - 1);
        name[length > 0 ? length : 0] = 0;
        close(file);
        usleep(500);
    }
}

static void exec_ends(void)
{
    mqd_t mqd = mq_new(2);
    struct actor *actor = spawn("registrant", becomes_sleep, &mqd);

    wait_for_exec(actor);
    say_free(mqd);
    mq_snd(mqd, "to nobody", 0);
    wait_state(actor->pid, actor->pid, 'S');
    kill(actor->pid, SIGKILL);
    finish(actor);
}

/* The new program is not the one that registered: the registration stands, but no signal is sent. */
static void exec_with_descriptor_kept(void)
{
    mqd_t mqd = mq_new(2);
    struct actor *actor = spawn("registrant", keeps_and_becomes_sleep, &mqd);

    wait_for_exec(actor);
    say_free(mqd);
    mq_snd(mqd, "no signal", 0);
    say_free(mqd);
    wait_state(actor->pid, actor->pid, 'S');
    kill(actor->pid, SIGKILL);
    finish(actor);
}

/* A forked child is not the registrant. */
static void quiet(int number) { (void)number, bump(DONE); }

static void fork_does_not_inherit(void)
{
    mqd_t mqd = mq_new(2);
    struct sigaction action = {.sa_handler = quiet};
    pid_t child;
    int status;

    sigaction(SIGUSR1, &action, NULL);
    say("registered %s", result(try_register(mqd, SIGUSR1)));
    child = fork();
    if (child == 0) {
        int before = count(DONE);
        mq_notify(mqd, NULL);
        int taken = try_register(mqd, SIGUSR1) == -1 && errno == EBUSY;
        mq_put(mqd, "x", 0);
        await(DONE, before + 1);
        _exit(taken);
    }
    while (waitpid(child, &status, 0) == -1)
        ;
    say("taken in the child: %d, handlers run: %d", WEXITSTATUS(status), count(DONE));
    say_free(mqd);
}

/* Registered, gone, registered by the next: each in turn, dead ones by SIGKILL. */
static void many_generations(void)
{
    mqd_t mqd = mq_new(2);
    int freed = 0;

    for (int i = 0; i < 30; i++) {
        struct part part = {mqd, do_nothing, i % 2};
        struct actor *actor = spawn("registrant", registrant, &part);
        wait_blocked(actor);
        kill(actor->pid, SIGKILL);
        if (i % 3)
            waitpid(actor->pid, NULL, 0);
        else
            kill_to_zombie(actor);
        freed += try_register(mqd, 0) == 0 && mq_notify(mqd, NULL) == 0;
    }
    say("freed %d times", freed);
}

SCENES(SCENE(nothing), SCENE(mq_close_ends), SCENE(close_ends), SCENE(close_of_another_descriptor),
       SCENE(mq_close_of_another_descriptor), SCENE(close_of_the_first_descriptor), SCENE(close_of_a_duplicate),
       SCENE(dup2_over), SCENE(close_range_ends), SCENE(close_in_child), SCENE(cancel_in_child),
       SCENE(close_in_thread), SCENE(close_of_another_queue), SCENE(unlink_does_not), SCENE(exit_ends),
       SCENE(zombie_is_dead), SCENE(thread_end_does_not), SCENE(exec_ends), SCENE(exec_with_descriptor_kept),
       SCENE(fork_does_not_inherit), SCENE(many_generations))
