/* SPDX-License-Identifier: PostgreSQL */
/* restore_lines.c - which WAL is kept, and what a recovery would find in it. */
#include "engine/restore_run.h"

#include <string.h>

bool restore_load_lines(struct restore_run *r, struct err *err)
{
    if (!kept_wal_load(r->a, &r->repo, r->seg_size, &r->kept, err)) {
        return false;
    }
    for (size_t i = 0; i < r->kept.odds; i++) {
        restore_check_add(&r->checks, "timeline", VERDICT_WARN,
                          arena_fmt(r->a, "history file '%s' cannot be used: %s",
                                    r->kept.odd[i].path, r->kept.odd[i].why),
                          "Fetch it again from the server's pg_wal.");
    }
    return true;
}

/* --- the walk --- */

struct walking {
    struct restore_run *r;
    struct wal_evidence *out;
};

/* Without memory the arena says so at the end of the plan. */
static void note_made(struct restore_run *r, const struct wal_event *e)
{
    struct restore_made *list = r->made;

    if (r->mades == r->made_cap) {
        list = kept_grown(r->a, r->made, r->mades, &r->made_cap, sizeof *list);
    }
    if (list) {
        list[r->mades++] = (struct restore_made){
            .oid = e->tablespace.oid,
            .location = arena_strdup(r->a, e->tablespace.location),
            .at = e->rec.start,
        };
        r->made = list;
    }
}

static bool on_event(void *ctx, const struct wal_event *e)
{
    struct walking *w = ctx;

    if (e->kind == WAL_EVENT_TABLESPACE && w->out == &w->r->wal &&
        target_watch_replays(&w->out->watch, e)) {
        note_made(w->r, e);
    }
    return target_watch_feed(&w->out->watch, e) != WATCH_ENOUGH;
}

static bool on_reach(void *ctx, pg_lsn start, pg_lsn end)
{
    struct walking *w = ctx;

    return target_watch_reach(&w->out->watch, start, end) != WATCH_ENOUGH;
}

static bool walk_route(struct restore_run *r, const struct history *route,
                       struct wal_evidence *out, struct err *err)
{
    struct walking walking = {r, out};
    struct wal_way way = {
        .task = r->task,
        .a = r->a,
        .repo = &r->repo,
        .lines = &r->kept.lines,
        .route = route,
        .major = r->backup->version / 10000,
        .progress = {.phase = "check WAL"},
        .ctx = &walking,
        .event = on_event,
        .reach = on_reach,
    };
    struct wal_way_end end;

    if (r->backup->systemid) {
        (void)str_u64(str_of(r->backup->systemid), UINT64_MAX, &way.sysid);
    }
    target_watch_init(&out->watch, &r->target, r->backup->begin_xlog, r->backup->end_xlog);
    if (!wal_way_walk(&way, r->backup->begin_xlog, 0, &end, err)) {
        return false;
    }
    out->fault = end.fault;
    out->where = end.where;
    out->why = end.why;
    out->resumes = end.resumes;
    out->segments = end.segments;
    out->uses_partial = end.uses_partial;
    return true;
}

/* Recovery does not meet the target: does it lie on a branch that it does not follow? */
static bool look_elsewhere(struct restore_run *r, struct err *err)
{
    struct timeline_base base = {r->backup->timeline, r->backup->begin_xlog,
                                 r->backup->end_xlog};
    struct timeline_choice choice[64];
    size_t n = timeline_choices(&r->kept.lines, &base, choice, 64);

    for (size_t i = 0; i < n && i < 64; i++) {
        struct wal_evidence *there = ARENA_NEW(r->a, struct wal_evidence);
        struct history_spare spare;
        const struct history *h;

        if (!there) {
            return arena_err(r->a, err);
        }
        if (choice[i].tli == r->line || !choice[i].is_reachable) {
            continue;
        }
        h = timeline_history(&r->kept.lines, choice[i].tli, &spare);
        if (!h) {
            continue;
        }
        if (!walk_route(r, h, there, err)) {
            return false;
        }
        if (there->watch.stop.known && !there->watch.stop_too_early) {
            r->wal.elsewhere = choice[i].tli;
            return true;
        }
    }
    return true;
}

bool restore_walk(struct restore_run *r, struct err *err)
{
    bool wants_stop = r->target.kind != TARGET_END && r->target.kind != TARGET_IMMEDIATE;

    if (!walk_route(r, r->route, &r->wal, err)) {
        return false;
    }
    if (wants_stop && !r->wal.watch.stop.known && r->wal.watch.end >= r->wal.watch.consistent) {
        return look_elsewhere(r, err);
    }
    return true;
}

/* --- what is copied --- */

/* Where copying may end: behind the target where its place is known, as far as WAL goes else.
 */
static pg_lsn last_wanted(const struct restore_run *r)
{
    switch (r->target.kind) {
    case TARGET_IMMEDIATE:
        return r->backup->end_xlog;
    case TARGET_LSN:
        return r->wal.watch.stop.known ? r->wal.watch.stop.end : r->wal.watch.end;
    default:
        return 0;
    }
}

bool restore_list_wal(struct restore_run *r, struct err *err)
{
    struct timeline_path path;
    struct wal_found found;
    struct wal_seg seg;
    size_t cap = 0;

    timeline_path_init(&path, r->route, r->seg_size, r->backup->begin_xlog, last_wanted(r));
    while (timeline_path_next(&path, &seg)) {
        char name[WAL_NAME_CAP];
        struct err why = {0};

        wal_seg_name(seg, r->seg_size, name);
        if (!wal_find(&r->repo, name, WAL_OR_PARTIAL, &found, &why)) {
            if (why.code != ERR_MISSING) {
                *err = why;
                return false;
            }
            break;
        }
        if (r->copies == cap) {
            struct wal_seg *p = kept_grown(r->a, r->copy, r->copies, &cap, sizeof *p);
            if (!p) {
                return arena_err(r->a, err);
            }
            r->copy = p;
        }
        r->copy[r->copies++] = seg;
    }
    return true;
}
