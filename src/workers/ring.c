/* SPDX-License-Identifier: PostgreSQL */
/* Memory orders, here and nowhere else:
 *
 * An item is written before tail is stored (release) and read after tail was loaded (acquire);
 * head says in the same way that the slot is free again.
 *
 * Nobody oversleeps: a side that is about to sleep sets its flag and then looks at the other's
 * index once more; the other side moves its index and then looks at the flag. These four are
 * sequentially consistent, so at least one of the two sees what the other did. */
#include "ring.h"

#include "base/bug.h"
#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void wake(int fd)
{
    uint64_t one = 1;

    /* Fails only when 2^64 - 2 wakes are waiting to be read. */
    BUG_IF(write(fd, &one, sizeof one) != (ssize_t)sizeof one);
}

static void quiet(int fd)
{
    uint64_t n;

    BUG_IF(read(fd, &n, sizeof n) < 0 && errno != EAGAIN && errno != EINTR);
}

static char *items_new(size_t slots, size_t stride)
{
    return slots > SIZE_MAX / stride ? NULL : calloc(slots, stride);
}

bool ring_init(struct ring *r, size_t item_size, size_t slots, struct err *err)
{
    BUG_IF(item_size == 0 || slots == 0 || (slots & (slots - 1)) != 0);
    memset(r, 0, sizeof *r);
    r->item_size = item_size;
    r->stride = (item_size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
    r->mask = slots - 1;
    r->room_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    r->item_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->room_fd < 0 || r->item_fd < 0) {
        err_os(err, errno, "make a descriptor for a thread", "");
        ring_release(r);
        return false;
    }
    r->item = items_new(slots, r->stride);
    if (!r->item) {
        ring_release(r);
        return err_set(err, ERR_MEMORY, "", "", "out of memory");
    }
    return true;
}

void ring_release(struct ring *r)
{
    if (r->room_fd >= 0) {
        close(r->room_fd);
    }
    if (r->item_fd >= 0) {
        close(r->item_fd);
    }
    free(r->item);
    r->item = NULL;
    r->room_fd = r->item_fd = -1;
}

static char *slot(struct ring *r, size_t n)
{
    return r->item + (n & r->mask) * r->stride;
}

bool ring_try_put(struct ring *r, const void *item)
{
    size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

    if (atomic_load_explicit(&r->state, memory_order_acquire) != RING_OPEN) {
        return false;
    }
    if (tail - r->head_seen > r->mask) {
        r->head_seen = atomic_load(&r->head);
        if (tail - r->head_seen > r->mask) {
            return false;
        }
    }
    memcpy(slot(r, tail), item, r->item_size);
    atomic_store(&r->tail, tail + 1);
    if (atomic_load(&r->taker_sleeps) && atomic_exchange(&r->taker_sleeps, false)) {
        wake(r->item_fd);
    }
    return true;
}

/* Milliseconds from now to until_ns for poll(), rounded up; -1: no limit. */
static int wait_ms(int64_t until_ns)
{
    int64_t ms;

    if (!until_ns) {
        return -1;
    }
    ms = (until_ns - clock_mono_ns() + NS_PER_MS - 1) / NS_PER_MS;
    return ms < 0 ? 0 : ms > INT32_MAX ? INT32_MAX : (int)ms;
}

enum ring_wait ring_put(struct ring *r, const void *item, int other_fd, int64_t until_ns)
{
    struct pollfd fd[2] = {{.fd = r->room_fd, .events = POLLIN},
                           {.fd = other_fd, .events = POLLIN}};

    while (!ring_try_put(r, item)) {
        if (atomic_load(&r->state) != RING_OPEN) {
            return RING_WAIT_ENDED;
        }
        atomic_store(&r->putter_sleeps, true);
        if (ring_try_put(r, item)) {
            break;
        }
        if (poll(fd, 2, wait_ms(until_ns)) == 0) {
            return RING_WAIT_TIME;
        }
        quiet(r->room_fd);
        if (fd[1].revents) {
            return RING_WAIT_OTHER;
        }
    }
    return RING_WAIT_DONE;
}

void *ring_front(struct ring *r)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

    if (head == r->tail_seen) {
        r->tail_seen = atomic_load(&r->tail);
        if (head == r->tail_seen) {
            return NULL;
        }
    }
    return slot(r, head);
}

void ring_pop(struct ring *r)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

    BUG_IF(head == r->tail_seen);
    atomic_store(&r->head, head + 1);
    if (atomic_load(&r->putter_sleeps) && atomic_exchange(&r->putter_sleeps, false)) {
        wake(r->room_fd);
    }
}

bool ring_try_take(struct ring *r, void *out)
{
    const void *item = ring_front(r);

    if (!item) {
        return false;
    }
    memcpy(out, item, r->item_size);
    ring_pop(r);
    return true;
}

void *ring_wait_front(struct ring *r)
{
    struct pollfd fd = {.fd = r->item_fd, .events = POLLIN};

    for (;;) {
        /* The state is read before the items: what was put before close() is seen. */
        int state = atomic_load(&r->state);
        void *item = state & RING_STOPPED ? NULL : ring_front(r);

        if (item || state != RING_OPEN) {
            return item;
        }
        atomic_store(&r->taker_sleeps, true);
        if (ring_front(r)) {
            continue;
        }
        poll(&fd, 1, -1);
        quiet(r->item_fd);
    }
}

int ring_item_fd(const struct ring *r)
{
    return r->item_fd;
}

bool ring_may_sleep(struct ring *r)
{
    atomic_store(&r->taker_sleeps, true);
    return !ring_front(r) && atomic_load(&r->state) == RING_OPEN;
}

void ring_awake(struct ring *r)
{
    quiet(r->item_fd);
}

size_t ring_count(const struct ring *r)
{
    size_t head = atomic_load(&r->head);

    return atomic_load(&r->tail) - head;
}

static void end(struct ring *r, int state)
{
    atomic_fetch_or(&r->state, state);
    wake(r->room_fd);
    wake(r->item_fd);
}

void ring_close(struct ring *r)
{
    end(r, RING_CLOSED);
}

void ring_stop(struct ring *r)
{
    end(r, RING_STOPPED);
}
