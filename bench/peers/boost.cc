/* Boost.Interprocess's message_queue as a channel, so that the same scenes are played. */
#include "peers.h"
#include <boost/interprocess/ipc/message_queue.hpp>
#include <string>

using namespace boost::interprocess;

namespace {

enum { DEFAULT_SLOTS = 10, DEFAULT_SIZE = 8192, RANKS = 32768 };

std::string name_of(int number) { return PEER_PREFIX + std::to_string(job.serial) + "." + std::to_string(number); }

message_queue *queue_of(long handle) { return reinterpret_cast<message_queue *>(handle); }

/* An exception ends the row with its text. */
template <typename Action> auto tried(Action action) -> decltype(action())
{
    try {
        return action();
    } catch (const std::exception &failure) {
        die("Boost: %s", failure.what());
    }
}

long make_of(int number, long slots, size_t size)
{
    std::size_t most = slots ? size : std::max<std::size_t>(size, DEFAULT_SIZE);

    return tried([&] {
        return reinterpret_cast<long>(new message_queue(create_only, name_of(number).c_str(), slots ? slots : DEFAULT_SLOTS,
                                                        most, permissions(0600)));
    });
}

long make(int number) { return make_of(number, 0, 0); }
long make_small(int number) { return make_of(number, 1, 64); }

void find(int number)
{
    tried([&] { message_queue found(open_only, name_of(number).c_str()); });
}

void ask(long handle) { (void)queue_of(handle)->get_num_msg(); }

void destroy(long handle, int number)
{
    delete queue_of(handle);
    message_queue::remove(name_of(number).c_str());
}

void send(long handle, struct message *message, size_t size, long rank)
{
    tried([&] { queue_of(handle)->send(message->text, size, rank); });
}

void receive(long handle, struct message *message, size_t room)
{
    message_queue::size_type got;
    unsigned rank;

    tried([&] { queue_of(handle)->receive(message->text, room < DEFAULT_SIZE ? DEFAULT_SIZE : room, got, rank); });
}

}

const struct kind boost_kind = { "mq", make, make_small, find, ask, destroy, 0 };
const struct channel boost_channel = { &boost_kind, RANKS, make_of, send, receive };
