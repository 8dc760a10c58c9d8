/* SPDX-License-Identifier: PostgreSQL */
/* restore_pace.c - no more bytes a second than --bwlimit allows, over all threads together. */
#include "base/clock.h"
#include "engine/restore_run.h"

#include <poll.h>

#define KIB    1024.0
#define NAP_MS 100 /* a cancelled job is not kept longer */

struct restore_pace {
    int64_t begin_ns;
    double per_ns; /* bytes */
    uint64_t done;
};

bool restore_pace_begin(struct restore_run *r, struct err *err)
{
    if (!r->req->bwlimit_kib) {
        return true;
    }
    r->pace = ARENA_NEW(r->a, struct restore_pace);
    if (!r->pace) {
        return arena_err(r->a, err);
    }
    r->pace->begin_ns = clock_mono_ns();
    r->pace->per_ns = (double)r->req->bwlimit_kib * KIB / (double)NS_PER_S;
    return true;
}

bool restore_pace(const struct restore_run *r, uint64_t bytes, struct err *err)
{
    struct restore_pace *p = r->pace;
    int64_t due, left;

    if (!p) {
        return true;
    }
    due = p->begin_ns + (int64_t)((double)task_count(&p->done, bytes) / p->per_ns);
    while ((left = (due - clock_mono_ns()) / NS_PER_MS) > 0) {
        if (!task_go_on(r->task, err)) {
            return false;
        }
        poll(NULL, 0, left < NAP_MS ? (int)left : NAP_MS);
    }
    return true;
}
