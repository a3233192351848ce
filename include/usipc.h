/* Written by `cargo run --example headers`: edit the sources in src/ instead. */

#ifndef USIPC_H
#define USIPC_H

#define USIPC_VERSION "0.1.0"
#define USIPC_VERSION_MAJOR 0
#define USIPC_VERSION_MINOR 1
#define USIPC_VERSION_PATCH 0

#include <usipc/ipc.h>
#include <usipc/msg.h>
#include <usipc/sem.h>
#include <usipc/shm.h>
#include <usipc/mqueue.h>
#include <usipc/semaphore.h>
#include <usipc/mman.h>

#endif
