#ifndef PEERS_H
#define PEERS_H

#include "../bench.h"

/* Files of this name in /dev/shm are the peers'; run.sh removes them. */
#define PEER_PREFIX "usipc-bench.peer."

#ifdef __cplusplus
extern "C" {
#endif
extern const struct kind boost_kind;
extern const struct channel boost_channel;
#ifdef __cplusplus
}
#endif

#endif
