/* SPDX-License-Identifier: PostgreSQL */
#include "desk_heap.h"

#include "base/bug.h"

static struct due_heap *heap_of(struct desk_look *l, uint32_t server)
{
    return &l->heap[l->server[server].class];
}

static void place(struct desk_look *l, struct due_heap *h, size_t at, uint32_t server)
{
    h->item[at] = server;
    l->server[server].at = at;
}

static int64_t due_at(const struct desk_look *l, const struct due_heap *h, size_t at)
{
    return l->server[h->item[at]].due_ns;
}

static size_t rise(struct desk_look *l, struct due_heap *h, size_t at)
{
    uint32_t server = h->item[at];

    while (at > 0 && due_at(l, h, (at - 1) / 2) > l->server[server].due_ns) {
        place(l, h, at, h->item[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(l, h, at, server);
    return at;
}

static void sink(struct desk_look *l, struct due_heap *h, size_t at)
{
    uint32_t server = h->item[at];

    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < h->n && due_at(l, h, child + 1) < due_at(l, h, child)) {
            child++;
        }
        if (child >= h->n || due_at(l, h, child) >= l->server[server].due_ns) {
            break;
        }
        place(l, h, at, h->item[child]);
        at = child;
    }
    place(l, h, at, server);
}

void heap_add(struct desk_look *l, uint32_t server)
{
    struct due_heap *h = heap_of(l, server);

    place(l, h, h->n++, server);
    rise(l, h, h->n - 1);
}

void heap_remove(struct desk_look *l, uint32_t server)
{
    struct due_heap *h = heap_of(l, server);
    size_t at = l->server[server].at;

    BUG_IF(at >= h->n || h->item[at] != server);
    h->n--;
    if (at < h->n) {
        place(l, h, at, h->item[h->n]);
        sink(l, h, rise(l, h, at));
    }
}

void heap_move(struct desk_look *l, uint32_t server)
{
    struct due_heap *h = heap_of(l, server);

    sink(l, h, rise(l, h, l->server[server].at));
}
