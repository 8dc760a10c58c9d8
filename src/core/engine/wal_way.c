/* SPDX-License-Identifier: PostgreSQL */
/* wal_way.c - the walk of kept_wal.h: segment after segment along a way of timelines. */
#include "engine/kept_wal.h"

#define CHUNK ((size_t)256 * 1024) /* whole pages */

struct walker {
    struct wal_way *way;
    struct wal_way_end *out;
    pg_lsn until;
    bool enough;
};

static bool on_event(void *ctx, const struct wal_event *e)
{
    struct walker *k = ctx;

    k->enough = (k->until && e->rec.start >= k->until) || !k->way->event(k->way->ctx, e);
    return !k->enough;
}

static void reach(struct walker *k, pg_lsn end)
{
    pg_lsn start = k->way->walk->last;

    if (k->until && start >= k->until) {
        k->enough = true;
    } else if (k->way->reach && start && !k->way->reach(k->way->ctx, start, end)) {
        k->enough = true;
    }
}

static bool faulty(struct walker *k, enum wal_fault fault, struct wal_seg seg, const char *why)
{
    char name[WAL_NAME_CAP];

    wal_seg_name(seg, k->way->lines->seg_size, name);
    k->out->fault = fault;
    k->out->fault_no = seg.no;
    k->out->where = arena_strdup(k->way->a, name);
    k->out->why = arena_strdup(k->way->a, why);
    return true;
}

/* Reads the segment's pages through the walk. *fed: bytes that were there. */
static bool feed_file(struct walker *k, struct wal_reader *rd, uint64_t *fed, struct err *err)
{
    struct wal_way *way = k->way;
    size_t have = 0, got;

    *fed = 0;
    do {
        size_t whole;

        if (!wal_read(rd, way->chunk + have, CHUNK - have, &got, err)) {
            return false;
        }
        have += got;
        if (have < CHUNK && got > 0) {
            continue;
        }
        whole = have - have % WAL_PAGE_SIZE;
        if (*fed + whole > way->lines->seg_size) {
            return err_set(err, ERR_FORMAT, "", "", "longer than a segment");
        }
        if (whole && !wal_walk_feed(way->walk, way->chunk, whole)) {
            *fed += whole;
            return true;
        }
        *fed += whole;
        have = 0;
        reach(k, way->walk->last_end);
    } while (got > 0 && !k->enough);
    return true;
}

/* The walk has stopped inside this file, or the file is short: the end of WAL, or damage? */
static bool judge_end(struct walker *k, const struct wal_found *found, struct wal_seg seg)
{
    const struct wal_end *end = &k->way->walk->end;
    pg_lsn next = kept_wal_next(k->way->lines, k->way->route, seg.no + 1);

    if (!next && (found->is_partial || end->reason == WAL_END_ZERO)) {
        return true;
    }
    k->out->resumes = next;
    if (end->reason == WAL_END_NONE) {
        return faulty(k, WAL_CORRUPT, seg, "shorter than a segment");
    }
    return faulty(k, WAL_CORRUPT, seg, end->why[0] ? end->why : wal_end_text(end->reason));
}

static bool judge_missing(struct walker *k, struct wal_seg seg)
{
    pg_lsn next = kept_wal_next(k->way->lines, k->way->route, seg.no + 1);

    if (next || k->out->segments == 0) {
        k->out->resumes = next;
        return faulty(k, WAL_GAP, seg, "");
    }
    return true; /* the end of what is kept */
}

/* *on: the next segment is wanted. */
static bool walk_segment(struct walker *k, struct wal_seg seg, bool *on, struct err *err)
{
    struct wal_way *way = k->way;
    uint32_t seg_size = way->lines->seg_size;
    char name[WAL_NAME_CAP];
    struct wal_found found;
    struct wal_reader *rd;
    struct err why = {0};
    pg_lsn start;
    uint64_t fed;
    bool ok;

    *on = false;
    wal_seg_name(seg, seg_size, name);
    if (!wal_find(way->repo, name, WAL_OR_PARTIAL, &found, &why)) {
        if (why.code != ERR_MISSING) {
            *err = why;
            return false;
        }
        return judge_missing(k, seg);
    }
    rd = wal_reader_new(&found, 0, &why);
    wal_walk_file(way->walk, seg);
    ok = rd && feed_file(k, rd, &fed, &why);
    wal_reader_free(rd);
    if (!ok && (why.code == ERR_CANCEL || why.code == ERR_MEMORY)) {
        *err = why;
        return false;
    }
    if (!ok) {
        k->out->resumes = kept_wal_next(way->lines, way->route, seg.no + 1);
        return faulty(k, why.code == ERR_CONFIG ? WAL_LOCKED : WAL_CORRUPT, seg, why.why);
    }
    k->out->segments++;
    k->out->uses_partial = k->out->uses_partial || found.is_partial;
    if (k->enough) {
        return true;
    }
    if (way->walk->end.reason != WAL_END_NONE || fed < seg_size) {
        return judge_end(k, &found, seg);
    }
    if (!wal_walk_open(way->walk, &start)) {
        reach(k, wal_seg_start(seg, seg_size) + seg_size);
    }
    *on = !k->enough;
    return true;
}

static bool prepare(struct walker *k, pg_lsn from, struct err *err)
{
    struct wal_way *way = k->way;
    struct wal_walk_options options = {
        .seg_size = way->lines->seg_size,
        .from = from,
        .major = way->major,
        .sysid = way->sysid,
        .event = on_event,
        .ctx = k,
    };

    way->walk = way->walk ? way->walk : ARENA_NEW(way->a, struct wal_walk);
    way->chunk = way->chunk ? way->chunk : arena_alloc(way->a, CHUNK);
    if (!way->walk || !way->chunk) {
        return arena_err(way->a, err);
    }
    wal_walk_init(way->walk, &options);
    return true;
}

bool wal_way_walk(struct wal_way *way, pg_lsn from, pg_lsn until, struct wal_way_end *out,
                  struct err *err)
{
    struct walker k = {.way = way, .out = out, .until = until};
    uint32_t seg_size = way->lines->seg_size;
    struct timeline_path path;
    struct wal_seg seg;
    pg_lsn open;
    bool on = true, ok = true;

    *out = (struct wal_way_end){.fault = WAL_WELL};
    if (!prepare(&k, from, err)) {
        return false;
    }
    timeline_path_init(&path, way->route, seg_size, from, 0);
    while (ok && on && timeline_path_next(&path, &seg)) {
        if (until && seg.no * seg_size >= until && !wal_walk_open(way->walk, &open)) {
            break;
        }
        wal_seg_name(seg, seg_size, way->progress.what);
        way->progress.done += seg_size;
        task_progress(way->task, &way->progress);
        ok = task_go_on(way->task, err) && walk_segment(&k, seg, &on, err);
    }
    out->end = way->walk->last_end;
    return ok;
}
