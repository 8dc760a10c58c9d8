/* SPDX-License-Identifier: PostgreSQL */
#include "barkeep/task.h"

#include "barkeep/str.h"
#include "bug.h"
#include "clock.h"

#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_CAP  8192
#define CANCEL_MS  100  /* a cancel without a descriptor is noticed within this time */
#define AT_ONCE_MS 1000 /* with one, it wakes */

bool task_go_on(const struct task *t, struct err *err)
{
    if (t->ops->cancelled && t->ops->cancelled(t->self)) {
        return err_set(err, ERR_CANCEL, "", "", "cancelled");
    }
    if (t->deadline_ns && clock_mono_ns() > t->deadline_ns) {
        return err_set(err, ERR_TIMEOUT, "", "", "the time allowed for it is over");
    }
    return true;
}

bool task_rest(const struct task *t, int64_t ms, struct err *err)
{
    struct pollfd p = {.fd = t->cancel_fd, .events = POLLIN};
    int64_t end = clock_mono_ns() + ms * NS_PER_MS;
    int64_t most = p.fd >= 0 ? AT_ONCE_MS : CANCEL_MS;

    while (task_go_on(t, err)) {
        int64_t left = (end - clock_mono_ns() + NS_PER_MS - 1) / NS_PER_MS;

        if (left <= 0) {
            return true;
        }
        (void)poll(&p, p.fd >= 0, (int)(left < most ? left : most));
    }
    return false;
}

void task_say(const struct task *t, enum say kind, const char *fmt, ...)
{
    char line[4096];
    struct sbuf b;
    va_list ap;

    va_start(ap, fmt);
    sbuf_init(&b, line, sizeof line);
    sbuf_vfmt(&b, fmt, ap);
    va_end(ap);
    t->ops->say(t->self, kind, line);
}

void task_progress(const struct task *t, const struct progress *p)
{
    if (t->ops->progress) {
        t->ops->progress(t->self, p);
    }
}

struct lane *lane_open(const struct task *t, const struct lane_spec *spec, struct err *err)
{
    BUG_IF(spec->slots == 0 || (spec->slots & (spec->slots - 1)) != 0);
    return t->ops->lane_open(t->self, spec, err);
}

bool lane_put(const struct task *t, struct lane *lane, const void *item, struct err *err)
{
    return t->ops->lane_put(lane, item, err);
}

bool lane_close(const struct task *t, struct lane *lane, struct err *err)
{
    return t->ops->lane_close(lane, err);
}

void lane_fail(const struct task *t, struct lane *lane)
{
    t->ops->lane_fail(lane);
}

void lane_set_mark(const struct task *t, struct lane *lane, uint64_t mark)
{
    t->ops->lane_set_mark(lane, mark);
}

uint64_t lane_mark(const struct task *t, struct lane *lane)
{
    return t->ops->lane_mark(lane);
}

int lane_mark_fd(const struct task *t, struct lane *lane)
{
    return t->ops->lane_mark_fd(lane);
}

bool pool_run(const struct task *t, const struct pool_spec *spec, struct err *err)
{
    BUG_IF(spec->jobs == 0 || spec->piece_size > PIECE_CAP);
    return t->ops->pool_run(t->self, spec, err);
}

/* The serial task: a lane is its specification, and a put is a consume. As with threads, a
 * failure of the consumer is told by the next put or by close: the item that caused it was
 * taken. */
struct lane {
    struct lane_spec spec;
    uint64_t mark;
    bool failed;
    struct err err;
};

static void serial_say(void *self, enum say kind, const char *line)
{
    const struct task_sink *sink = self;

    if (sink && sink->fn) {
        sink->fn(sink->ctx, kind, line);
    }
}

static struct lane *serial_lane_new(void *self, const struct lane_spec *spec, struct err *err)
{
    struct lane *lane = malloc(sizeof *lane);

    (void)self;
    if (!lane) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    *lane = (struct lane){.spec = *spec};
    return lane;
}

static bool serial_put(struct lane *lane, const void *item, struct err *err)
{
    _Alignas(max_align_t) char copy[PIECE_CAP];

    BUG_IF(lane->spec.item_size > sizeof copy);
    if (lane->failed) {
        *err = lane->err;
        return false;
    }
    memcpy(copy, item, lane->spec.item_size);
    lane->failed = !lane->spec.consume(lane->spec.ctx, copy, false, &lane->err);
    return true;
}

static void serial_lane_free(struct lane *lane)
{
    free(lane);
}

static bool serial_close(struct lane *lane, struct err *err)
{
    bool ok = !lane->failed;

    if (!ok) {
        *err = lane->err;
    }
    serial_lane_free(lane);
    return ok;
}

static void serial_set_mark(struct lane *lane, uint64_t mark)
{
    lane->mark = mark;
}

static uint64_t serial_mark(struct lane *lane)
{
    return lane->mark;
}

static int serial_mark_fd(struct lane *lane)
{
    (void)lane;
    return -1;
}

static bool serial_pool_run(void *self, const struct pool_spec *spec, struct err *err)
{
    _Alignas(max_align_t) char piece[PIECE_CAP];
    int more;

    (void)self;
    while ((more = spec->next(spec->ctx, piece, err)) > 0) {
        if (!spec->work(spec->ctx, piece, err)) {
            return false;
        }
        if (spec->done) {
            spec->done(spec->ctx, piece);
        }
    }
    return more == 0;
}

struct task task_serial(void (*sink)(void *ctx, enum say kind, const char *line), void *ctx,
                        struct task_sink *store)
{
    static const struct task_ops ops = {
        .say = serial_say,
        .lane_open = serial_lane_new,
        .lane_put = serial_put,
        .lane_close = serial_close,
        .lane_fail = serial_lane_free,
        .lane_set_mark = serial_set_mark,
        .lane_mark = serial_mark,
        .lane_mark_fd = serial_mark_fd,
        .pool_run = serial_pool_run,
    };

    *store = (struct task_sink){sink, ctx};
    return (struct task){.ops = &ops, .self = store, .cancel_fd = -1};
}

uint64_t task_count(uint64_t *n, uint64_t by)
{
    return __atomic_add_fetch(n, by, __ATOMIC_RELAXED);
}
