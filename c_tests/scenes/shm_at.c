/* shmat and shmdt: addresses chosen and not, flags, errors in the kernel's order, what may be done there. */
#include "scene_shm.h"

static void shared_and_kept(void)
{
    int segment = seg_new(3 * PAGE);
    char *memory = must_attach(segment), *again;
    pid_t pid;

    strcpy(memory, "by the stage");
    pid = fork();
    if (pid == 0) {
        char *own = must_attach(segment);
        int same = strcmp(own, "by the stage") == 0 && strcmp(memory, own) == 0;
        strcpy(own + 2 * PAGE, "by the child");
        _exit(same ? 0 : 1);
    }
    finish(&(struct actor){.name = "child", .pid = pid});
    say("%s", memory + 2 * PAGE);
    dt("first", memory);
    seg_state(segment);
    again = must_attach(segment);
    say("%s, %s", again, again + 2 * PAGE);
    seg_state(segment);
}

static void several_times(void)
{
    int segment = seg_new(PAGE);
    char *memory[5];

    for (int i = 0; i < 5; i++) {
        memory[i] = must_attach(segment);
        memory[i][i] = (char)('a' + i);
    }
    say("%.5s %.5s, other places: %d", memory[0], memory[4], memory[0] != memory[4] && memory[1] != memory[2]);
    seg_state(segment);
    dt("second", memory[1]);
    dt("second again", memory[1]);
    say("%.5s", memory[3]);
    seg_state(segment);
    for (int i = 0; i < 5; i++)
        dt("each", memory[i]);
    seg_state(segment);
}

static void chosen_addresses(void)
{
    int segment = seg_new(2 * PAGE);
    char *place = free_place(8), *used = taken_place(4);

    at("aligned", segment, place, 0);
    at("the same again", segment, place, 0);
    at("half over it", segment, place + PAGE, 0);
    at("right behind", segment, place + 2 * PAGE, 0);
    at("unaligned", segment, place + 4 * PAGE + 1, 0);
    at("unaligned, RND", segment, place + 5 * PAGE - 1, SHM_RND);
    at("aligned, RND", segment, place + 6 * PAGE, SHM_RND);
    seg_state(segment);
    strcpy(used, "mine");
    at("taken", segment, used, 0);
    at("taken, RND", segment, used + 9, SHM_RND);
    at("its last page is taken", segment, used - PAGE, 0);
    say("%s", used);
    seg_state(segment);
}

static void remapped(void)
{
    int segment = seg_new(2 * PAGE), other = seg_new(PAGE);
    char *used = taken_place(6), *memory;

    strcpy(used, "mine");
    strcpy(used + 3 * PAGE, "mine too");
    memory = at("taken, REMAP", segment, used, SHM_REMAP);
    say("\"%s\" \"%s\"", memory, used + 3 * PAGE);
    at("unaligned, REMAP", segment, used + 5, SHM_REMAP);
    at("unaligned, RND REMAP", other, used + 4 * PAGE + 17, SHM_REMAP | SHM_RND);
    at("NULL, REMAP", segment, NULL, SHM_REMAP);
    at("NULL, RND REMAP", segment, NULL, SHM_REMAP | SHM_RND);
    at("1, RND REMAP", segment, (void *)1, SHM_REMAP | SHM_RND);
    at("1, REMAP", segment, (void *)1, SHM_REMAP);
    seg_state(segment);
    at("over an attachment, REMAP", other, used, SHM_REMAP);
    seg_state(segment);
    seg_state(other);
    dt("where the other is now", used);
    seg_state(segment);
    seg_state(other);
    dt("where the rest is", used + PAGE);
    at("over itself, REMAP", other, used + 4 * PAGE, SHM_REMAP);
    seg_state(other);
}

static void impossible_addresses(void)
{
    int segment = seg_new(2 * PAGE), gone = seg_new(1);

    need(seg_remove(gone) == 0, "IPC_RMID");
    at("1", segment, (void *)1, 0);
    at("kernel's address", segment, kernel_address(), 0);
    at("the last page", segment, (void *)-4096L, 0);
    at("kernel's address, REMAP", segment, kernel_address(), SHM_REMAP);
    at("unaligned, removed", gone, (void *)1, 0);
    at("NULL, REMAP, removed", gone, NULL, SHM_REMAP);
    at("unaligned, id -1", -1, (void *)1, 0);
    at("id -1", -1, NULL, 0);
    at("smallest id", INT_MIN, NULL, 0);
    at("largest id", INT_MAX, NULL, 0);
    at("removed", gone, NULL, 0);
    at("other sequence", segment + (1 << 15), NULL, 0);
    seg_state(segment);
}

static void read_only(void)
{
    int segment = seg_new(PAGE);
    char *memory = must_attach(segment), *other = attach(segment, NULL, SHM_RDONLY);

    memory[5] = 5;
    say("%d", other[5]);
    touch("reading", other, READING);
    touch("writing", other, WRITING);
    touch("writing by the other", memory, WRITING);
    say("mprotect to write %s", result(mprotect(other, PAGE, PROT_READ | PROT_WRITE)));
    say("mprotect to read %s", result(mprotect(memory, PAGE, PROT_READ)));
    touch("writing by the protected", memory, WRITING);
    seg_state(segment);
}

/* Code that gives back 42, where this is known. */
static void executable(void)
{
#if defined(__x86_64__) || defined(__i386__)
    static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
#elif defined(__aarch64__)
    static const unsigned char code[] = {0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6};
#else
    static const unsigned char code[] = {0};
    say("code of this machine is not known");
    return;
#endif
    int segment = seg_new(PAGE);
    char *memory = must_attach(segment), *runs = at("EXEC", segment, NULL, SHM_EXEC);
    char *only = at("EXEC RDONLY", segment, NULL, SHM_EXEC | SHM_RDONLY);

    memcpy(memory, code, sizeof code);
    __builtin___clear_cache(runs, runs + sizeof code);
    touch("calling", runs, CALLING);
    touch("calling, RDONLY", only, CALLING);
    touch("calling without EXEC", memory, CALLING);
    touch("writing", runs, WRITING);
    touch("writing, RDONLY", only, WRITING);
}

/* Beyond the segment's last page there is nothing of it. */
static void edges(void)
{
    int segment = seg_new(PAGE + 1);
    char *place = free_place(4), *memory = at("in the middle", segment, place + PAGE, 0);

    touch("before", memory - 1, READING);
    touch("first", memory, WRITING);
    touch("last", memory + PAGE, WRITING);
    touch("last of the page", memory + 2 * PAGE - 1, WRITING);
    touch("behind", memory + 2 * PAGE, READING);
    dt("all", memory);
    touch("detached", memory, READING);
}

static void wrong_detaches(void)
{
    int segment = seg_new(3 * PAGE);
    char *memory = must_attach(segment), *used = taken_place(1), local;

    dt("NULL", NULL);
    dt("1", (void *)1);
    dt("unaligned", memory + 1);
    dt("second page", memory + PAGE);
    dt("behind", memory + 3 * PAGE);
    dt("other memory", used);
    dt("the stack", (void *)((unsigned long)&local & ~(PAGE - 1UL)));
    dt("kernel's address", kernel_address());
    dt("-1", (void *)-1L);
    seg_state(segment);
    dt("right", memory);
    dt("right again", memory);
    seg_state(segment);
}

/* ---- munmap and its like, which know nothing of segments ---- */

static void unmapped(void)
{
    int segment = seg_new(3 * PAGE);
    char *memory = must_attach(segment);

    need(munmap(memory, 3 * PAGE) == 0, "munmap");
    seg_state(segment);
    dt("unmapped", memory);
    memory = must_attach(segment);
    need(munmap(memory, PAGE) == 0, "munmap");
    seg_state(segment);
    dt("its first page unmapped", memory);
    seg_state(segment);
    memory = must_attach(segment);
    need(munmap(memory + 2 * PAGE, PAGE) == 0, "munmap");
    seg_state(segment);
    dt("its last page unmapped", memory);
    seg_state(segment);
}

/* The kernel counts mappings: one with a hole is two. */
static void split(void)
{
    int segment = seg_new(3 * PAGE);
    char *memory = must_attach(segment);

    need(munmap(memory + PAGE, PAGE) == 0, "munmap");
    seg_state(segment);
    touch("behind the hole", memory + 2 * PAGE, WRITING);
    dt("with a hole", memory);
    seg_state(segment);
    touch("behind the hole", memory + 2 * PAGE, READING);
    memory = must_attach(segment);
    need(mprotect(memory + PAGE, PAGE, PROT_READ) == 0, "mprotect");
    seg_state(segment);
    dt("with three parts", memory);
    seg_state(segment);
}

static void mapped_over(void)
{
    int segment = seg_new(2 * PAGE);
    char *memory = must_attach(segment);

    need(mmap(memory, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == memory, "mmap");
    seg_state(segment);
    dt("mapped over", memory);
    touch("what is there now", memory, READING);
}

static void moved_away(void)
{
    int segment = seg_new(2 * PAGE);
    char *memory = must_attach(segment), *place = free_place(2), *other;

    strcpy(memory, "moved");
    other = mremap(memory, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    need(other == place, "mremap");
    say("%s", other);
    seg_state(segment);
    dt("the old place", memory);
    dt("the new place", other);
    seg_state(segment);
}

/* errno is left alone by what works. */
static void errno_kept(void)
{
    int segment = seg_new(PAGE);
    char *memory;

    errno = ERANGE;
    memory = attach(segment, NULL, 0);
    memory[0] = 1;
    nattch(segment);
    shmdt(memory);
    seg_remove(segment);
    say("%s", errno_name(errno));
}

SCENES(SCENE(shared_and_kept), SCENE(several_times), SCENE(chosen_addresses), SCENE(remapped),
       SCENE(impossible_addresses), SCENE(read_only), SCENE(executable), SCENE(edges), SCENE(wrong_detaches),
       SCENE(unmapped), SCENE(split), SCENE(mapped_over), SCENE(moved_away), SCENE(errno_kept))
