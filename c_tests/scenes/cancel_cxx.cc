// pthread_cancel of a C++ thread asleep in a call: the stack is unwound and its destructors run.
#include "scene_block.h"
#include <cxxabi.h>

namespace {

enum { DESTROYED, CAUGHT };

struct part {
    struct place place;
    bool catches;
};

class witness {
public:
    explicit witness(const char *name) : name_(name) {}
    ~witness()
    {
        say("destroyed: %s", name_);
        bump(DESTROYED);
    }
    witness(const witness &) = delete;
    witness &operator=(const witness &) = delete;

private:
    const char *name_;
};

void inner(const place &where)
{
    witness third("third");
    arrive();
    block_in(&where);
    say("the call came back");
}

void sleeper(void *argument)
{
    auto *mine = static_cast<part *>(argument);
    witness first("first");

    if (!mine->catches) {
        witness second("second");
        inner(mine->place);
        return;
    }
    try {
        witness second("second");
        inner(mine->place);
    } catch (abi::__forced_unwind &) {
        say("caught");
        bump(CAUGHT);
        throw;
    }
}

void destructors(int call)
{
    part mine = {place_new(call), false};
    actor *sleeps = spawn_thread("thread", sleeper, &mine);

    wait_blocked(sleeps);
    pthread_cancel(sleeps->thread);
    finish(sleeps);
    say("%d destroyed", count(DESTROYED));
    leavings(&mine.place);
}

void caught_and_thrown_on(int call)
{
    part mine = {place_new(call), true};
    actor *sleeps = spawn_thread("thread", sleeper, &mine);

    wait_blocked(sleeps);
    pthread_cancel(sleeps->thread);
    finish(sleeps);
    say("%d destroyed, %d caught", count(DESTROYED), count(CAUGHT));
    release(&mine.place);
    leavings(&mine.place);
}

// An exception thrown by a handler's friend is no business of the library's: plain calls, plain throws.
void throws_around_calls(int call)
{
    struct place where = place_new(call);

    release(&where);
    for (int i = 0; i < 3; i++) {
        try {
            witness local("local");
            leavings(&where);
            throw i;
        } catch (int number) {
            say("caught %d", number);
        }
    }
}

} // namespace

SCENES(FOR_CALLS(destructors), FOR_CALLS(caught_and_thrown_on), FOR_CALLS(throws_around_calls))
