/* A thread cancelled in an interposed call is unwound through the library: its destructors and cleanup
 * handlers run. */
#include <cstdio>
#include <initializer_list>
#include <poll.h>
#include <pthread.h>
#include <sys/select.h>
#include <unistd.h>

namespace {

struct Object {
    const char *name;
    ~Object() { std::printf("%s: destructor\n", name); }
};

void cleanup(void *name)
{
    std::printf("%s: cleanup handler\n", static_cast<const char *>(name));
}

void poll_for_ever() { poll(nullptr, 0, -1); }
void ppoll_for_ever() { ppoll(nullptr, 0, nullptr, nullptr); }
void select_for_ever() { select(0, nullptr, nullptr, nullptr, nullptr); }
void pselect_for_ever() { pselect(0, nullptr, nullptr, nullptr, nullptr, nullptr); }

struct Call {
    const char *name;
    void (*wait)();
};

void *thread(void *argument)
{
    const Call *call = static_cast<const Call *>(argument);
    Object object = {call->name};
    pthread_cleanup_push(cleanup, const_cast<char *>(call->name));
    call->wait();
    pthread_cleanup_pop(0);
    return nullptr;
}

} // namespace

int main()
{
    for (Call call : {Call{"poll", poll_for_ever}, Call{"ppoll", ppoll_for_ever},
                      Call{"select", select_for_ever}, Call{"pselect", pselect_for_ever}}) {
        pthread_t id;
        void *result;
        pthread_create(&id, nullptr, thread, &call);
        usleep(20000); /* it sleeps by now; cancelled earlier, it would print the same */
        pthread_cancel(id);
        pthread_join(id, &result);
        std::printf("%s: %s\n", call.name, result == PTHREAD_CANCELED ? "cancelled" : "returned");
    }
    return 0;
}
