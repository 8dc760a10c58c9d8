/* SPDX-License-Identifier: PostgreSQL */
/* restore_lines.c - which WAL is kept, and what a recovery would find in it. */
#include "engine/restore_run.h"

#include "wal/walk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK ((size_t)256 * 1024) /* whole pages */

/* --- what is kept --- */

struct loading {
    struct restore_run *r;
    struct wal_seg *seg;
    size_t segs, seg_cap;
    struct history *history;
    size_t histories, history_cap;
    size_t name_cap;
};

/* Doubles an arena's array; NULL without memory. */
static void *grown(struct arena *a, const void *old, size_t n, size_t *cap, size_t size)
{
    size_t more = *cap ? 2 * *cap : 64;
    void *p = arena_array(a, more, size);

    if (p) {
        if (n) {
            memcpy(p, old, n * size);
        }
        *cap = more;
    }
    return p;
}

static bool add_seg(struct loading *l, const char *name, struct err *err)
{
    struct wal_seg seg;
    struct err odd = {0};

    if (!wal_seg_parse(name, l->r->seg_size, &seg, &odd)) {
        return true; /* of another segment size: no way leads over it */
    }
    if (l->segs == l->seg_cap) {
        struct wal_seg *p = grown(l->r->a, l->seg, l->segs, &l->seg_cap, sizeof *p);
        if (!p) {
            return arena_err(l->r->a, err);
        }
        l->seg = p;
    }
    l->seg[l->segs++] = seg;
    return true;
}

static bool add_name(struct loading *l, const char *name, struct err *err)
{
    struct restore_run *r = l->r;

    for (size_t i = 0; i < r->history_files; i++) {
        if (strcmp(r->history_file[i], name) == 0) {
            return true;
        }
    }
    if (r->history_files == l->name_cap) {
        const char **p =
            grown(r->a, r->history_file, r->history_files, &l->name_cap, sizeof *p);
        if (!p) {
            return arena_err(r->a, err);
        }
        r->history_file = p;
    }
    r->history_file[r->history_files] = arena_strdup(r->a, name);
    return r->history_file[r->history_files++] || arena_err(r->a, err);
}

static bool add_history(struct loading *l, const char *dir, const char *name, struct err *err)
{
    struct restore_run *r = l->r;
    struct err odd = {0};
    struct history h;
    char path[PATH_CAP];
    struct str text;
    size_t before = r->history_files;
    pg_tli tli;

    if (!wal_name_tli(str_of(name), &tli) || !path_join(path, dir, name, err)) {
        return true;
    }
    if (!file_read(r->a, path, HISTORY_MAX, &text, &odd) ||
        !history_parse(r->a, tli, text, &h, &odd)) {
        restore_check_add(
            &r->checks, "timeline", VERDICT_WARN,
            arena_fmt(r->a, "history file '%s' cannot be used: %s", path, odd.why),
            "Fetch it again from the server's pg_wal.");
        return true;
    }
    if (!add_name(l, name, err)) {
        return false;
    }
    if (r->history_files == before) {
        return true; /* known from another place */
    }
    if (l->histories == l->history_cap) {
        struct history *p = grown(r->a, l->history, l->histories, &l->history_cap, sizeof *p);
        if (!p) {
            return arena_err(r->a, err);
        }
        l->history = p;
    }
    l->history[l->histories++] = h;
    return true;
}

static bool load_dir(struct loading *l, const char *dir, struct err *err)
{
    struct names names;

    if (!dir_names(l->r->a, dir, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    for (size_t i = 0; i < names.n; i++) {
        enum wal_name_kind kind = wal_name_kind(str_of(names.name[i]), WAL_CASE_UPPER);

        if (kind == WAL_NAME_SEGMENT && !add_seg(l, names.name[i], err)) {
            return false;
        }
        if (kind == WAL_NAME_HISTORY && !add_history(l, dir, names.name[i], err)) {
            return false;
        }
    }
    return true;
}

static int by_place(const void *a, const void *b)
{
    return wal_seg_cmp(*(const struct wal_seg *)a, *(const struct wal_seg *)b);
}

static bool load_archive(struct loading *l, struct err *err)
{
    const struct repo *repo = &l->r->repo;
    struct names names;
    char dir[PATH_CAP];

    if (!dir_names(l->r->a, repo->wals_dir, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    for (size_t i = 0; i < names.n; i++) {
        uint64_t hex;

        if (strlen(names.name[i]) == WAL_DIR_LEN &&
            str_hex_u64(str_of(names.name[i]), WAL_DIR_LEN, &hex) &&
            (!path_join(dir, repo->wals_dir, names.name[i], err) || !load_dir(l, dir, err))) {
            return false;
        }
    }
    return load_dir(l, repo->wals_dir, err);
}

bool restore_load_lines(struct restore_run *r, struct err *err)
{
    struct loading l = {.r = r};
    size_t n = 0;

    if (!load_archive(&l, err) || !load_dir(&l, r->repo.streaming_dir, err) ||
        !load_dir(&l, r->repo.incoming_dir, err)) {
        return false;
    }
    if (l.segs) {
        qsort(l.seg, l.segs, sizeof *l.seg, by_place);
    }
    for (size_t i = 0; i < l.segs; i++) {
        if (n == 0 || wal_seg_cmp(l.seg[n - 1], l.seg[i]) != 0) {
            l.seg[n++] = l.seg[i];
        }
    }
    r->lines = (struct timelines){
        .history = l.history,
        .n = l.histories,
        .seg = l.seg,
        .segs = n,
        .seg_size = r->seg_size,
    };
    return true;
}

/* --- the walk --- */

struct walker {
    struct restore_run *r;
    const struct history *route;
    struct wal_evidence *out;
    struct wal_walk *walk;
    uint8_t *chunk;
    bool enough;
};

static bool on_event(void *ctx, const struct wal_event *e)
{
    struct walker *k = ctx;

    k->enough = target_watch_feed(&k->out->watch, e) == WATCH_ENOUGH;
    return !k->enough;
}

/* First WAL on the route behind a segment; 0: none. */
static pg_lsn goes_on(const struct walker *k, uint64_t no)
{
    const struct timelines *t = &k->r->lines;
    uint64_t best = UINT64_MAX;

    for (size_t i = 0; i < t->segs; i++) {
        if (t->seg[i].no > no && t->seg[i].no < best &&
            history_tli_of_seg(k->route, t->seg[i].no, t->seg_size) == t->seg[i].tli) {
            best = t->seg[i].no;
        }
    }
    return best == UINT64_MAX ? 0 : best * t->seg_size;
}

static bool faulty(struct walker *k, enum wal_fault fault, const char *name, const char *why)
{
    k->out->fault = fault;
    k->out->where = arena_strdup(k->r->a, name);
    k->out->why = arena_strdup(k->r->a, why);
    return true;
}

/* Reads the segment's pages through the walk. *fed: bytes that were there. */
static bool feed_file(struct walker *k, struct wal_reader *rd, uint64_t *fed, struct err *err)
{
    size_t have = 0, got;

    *fed = 0;
    do {
        size_t whole;

        if (!wal_read(rd, k->chunk + have, CHUNK - have, &got, err)) {
            return false;
        }
        have += got;
        if (have < CHUNK && got > 0) {
            continue;
        }
        whole = have - have % WAL_PAGE_SIZE;
        if (*fed + whole > k->r->seg_size) {
            return err_set(err, ERR_FORMAT, "", "", "longer than a segment");
        }
        if (whole && !wal_walk_feed(k->walk, k->chunk, whole)) {
            *fed += whole;
            return true;
        }
        *fed += whole;
        have = 0;
        if (k->walk->last && target_watch_reach(&k->out->watch, k->walk->last,
                                                k->walk->last_end) == WATCH_ENOUGH) {
            k->enough = true;
        }
    } while (got > 0 && !k->enough);
    return true;
}

/* The walk has stopped inside this file, or the file is short: the end of WAL, or damage? */
static bool judge_end(struct walker *k, const char *name, const struct wal_found *found,
                      struct wal_seg seg)
{
    const struct wal_end *end = &k->walk->end;
    pg_lsn next = goes_on(k, seg.no);

    if (!next && (found->is_partial || end->reason == WAL_END_ZERO)) {
        return true;
    }
    k->out->resumes = next;
    if (end->reason == WAL_END_NONE) {
        return faulty(k, WAL_CORRUPT, name, "shorter than a segment");
    }
    return faulty(k, WAL_CORRUPT, name, end->why[0] ? end->why : wal_end_text(end->reason));
}

/* *on: the next segment is wanted. */
static bool walk_segment(struct walker *k, struct wal_seg seg, bool *on, struct err *err)
{
    uint32_t seg_size = k->r->seg_size;
    char name[WAL_NAME_CAP];
    struct wal_found found;
    struct wal_reader *rd;
    struct err why = {0};
    pg_lsn start;
    uint64_t fed;
    bool ok;

    *on = false;
    wal_seg_name(seg, seg_size, name);
    if (!wal_find(&k->r->repo, name, WAL_OR_PARTIAL, &found, &why)) {
        pg_lsn next = goes_on(k, seg.no);

        if (why.code != ERR_MISSING) {
            *err = why;
            return false;
        }
        if (next || k->out->segments == 0) {
            k->out->resumes = next;
            return faulty(k, WAL_GAP, name, "");
        }
        return true; /* the end of what is kept */
    }
    rd = wal_reader_new(&found, 0, &why);
    wal_walk_file(k->walk, seg);
    ok = rd && feed_file(k, rd, &fed, &why);
    wal_reader_free(rd);
    if (!ok) {
        return faulty(k, WAL_CORRUPT, name, why.why);
    }
    k->out->segments++;
    k->out->uses_partial = k->out->uses_partial || found.is_partial;
    if (k->enough) {
        return true;
    }
    if (k->walk->end.reason != WAL_END_NONE || fed < seg_size) {
        return judge_end(k, name, &found, seg);
    }
    if (!wal_walk_open(k->walk, &start)) {
        k->enough = target_watch_reach(&k->out->watch, k->walk->last,
                                       wal_seg_start(seg, seg_size) + seg_size) == WATCH_ENOUGH;
    }
    *on = !k->enough;
    return true;
}

static bool walk_route(struct restore_run *r, const struct history *route,
                       struct wal_evidence *out, struct err *err)
{
    struct walker k = {.r = r, .route = route, .out = out};
    struct wal_walk_options options = {.seg_size = r->seg_size, .from = r->backup->begin_xlog};
    struct progress progress = {.phase = "check WAL"};
    struct timeline_path path;
    struct wal_seg seg;
    bool on = true, ok = true;

    options.event = on_event;
    options.ctx = &k;
    options.major = r->backup->version / 10000;
    if (r->backup->systemid) {
        (void)str_u64(str_of(r->backup->systemid), UINT64_MAX, &options.sysid);
    }
    k.walk = ARENA_NEW(r->a, struct wal_walk);
    k.chunk = arena_alloc(r->a, CHUNK);
    if (!k.walk || !k.chunk) {
        return arena_err(r->a, err);
    }
    target_watch_init(&out->watch, &r->target, r->backup->begin_xlog, r->backup->end_xlog);
    wal_walk_init(k.walk, &options);
    timeline_path_init(&path, route, r->seg_size, r->backup->begin_xlog, 0);
    while (ok && on && timeline_path_next(&path, &seg)) {
        wal_seg_name(seg, r->seg_size, progress.what);
        progress.done += r->seg_size;
        task_progress(r->task, &progress);
        ok = task_go_on(r->task, err) && walk_segment(&k, seg, &on, err);
    }
    return ok;
}

/* Recovery does not meet the target: does it lie on a branch that it does not follow? */
static bool look_elsewhere(struct restore_run *r, struct err *err)
{
    struct timeline_base base = {r->backup->timeline, r->backup->begin_xlog,
                                 r->backup->end_xlog};
    struct timeline_choice choice[64];
    size_t n = timeline_choices(&r->lines, &base, choice, 64);

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
        h = timeline_history(&r->lines, choice[i].tli, &spare);
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
            struct wal_seg *p = grown(r->a, r->copy, r->copies, &cap, sizeof *p);
            if (!p) {
                return arena_err(r->a, err);
            }
            r->copy = p;
        }
        r->copy[r->copies++] = seg;
    }
    return true;
}
