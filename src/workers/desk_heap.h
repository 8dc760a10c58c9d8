/* SPDX-License-Identifier: PostgreSQL */
/* desk_heap.h - which server is due first: a binary heap of each class of servers.
 *
 * Threads  Under the lookers' lock.
 */
#ifndef WORKERS_DESK_HEAP_H
#define WORKERS_DESK_HEAP_H

#include "desk_in.h"

/* A server is in the heap of its class exactly while it is not busy. */
void heap_add(struct desk_look *l, uint32_t server);
void heap_remove(struct desk_look *l, uint32_t server);
void heap_move(struct desk_look *l, uint32_t server); /* its due_ns has changed */

#endif
