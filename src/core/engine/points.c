/* SPDX-License-Identifier: PostgreSQL */
/* points.c - what happened in a span of time: restore points, ends of backups, switches of
 * timelines, and how many commits, from the newest segment to the oldest.
 *
 * Each segment is walked for itself, and the beginning of the one behind it for the record that
 * crosses over. Of the segment that holds a switch the child has a copy of what the parent
 * wrote: it counts once.
 */
#include "cfg/config.h"
#include "engine/moment_in.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SPARE_US   (INT64_C(3600) * US_PER_S)
#define BUCKETS    512
#define POINTS_MAX 4096
#define PART_NS    (400 * NS_PER_MS)

struct piece {
    struct wal_seg seg;
    int64_t us; /* of the file; 0: not known */
    bool is_wanted;
};

struct reading {
    struct finder *f;
    const struct points_spec *spec;
    struct answer_points *out;
    struct piece *piece;
    size_t pieces, piece_cap;
    struct point *point;
    uint64_t *count;
    struct wal_seg seg; /* at hand */
    pg_lsn own_from;    /* what begins before it is the parent's */
    int64_t next_part;
    bool has_changed;
    struct err err; /* out of memory, in a callback */
};

/* --- which files --- */

static int by_place(const void *a, const void *b)
{
    return wal_seg_cmp(((const struct piece *)a)->seg, ((const struct piece *)b)->seg);
}

static struct piece *piece_find(const struct reading *r, struct wal_seg seg)
{
    struct piece key = {.seg = seg};

    return r->pieces ? bsearch(&key, r->piece, r->pieces, sizeof key, by_place) : NULL;
}

static bool add_piece(struct reading *r, struct wal_seg seg, struct err *err)
{
    if (r->pieces == r->piece_cap) {
        struct piece *p =
            kept_grown(r->f->a, r->piece, r->pieces, &r->piece_cap, sizeof *r->piece);
        if (!p) {
            return arena_err(r->f->a, err);
        }
        r->piece = p;
    }
    r->piece[r->pieces++] = (struct piece){.seg = seg};
    return true;
}

/* What the receiver is writing. */
static bool add_partials(struct reading *r, struct err *err)
{
    uint32_t seg_size = r->f->kept.lines.seg_size;
    struct names names;

    if (!dir_names(r->f->a, r->f->repo.streaming_dir, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    for (size_t i = 0; i < names.n; i++) {
        struct err odd = {0};
        struct wal_seg seg;
        char name[WAL_NAME_CAP];

        if (wal_name_kind(str_of(names.name[i]), WAL_CASE_UPPER) != WAL_NAME_PARTIAL) {
            continue;
        }
        (void)str_copy(name, sizeof name, names.name[i]);
        if (wal_seg_parse(name, seg_size, &seg, &odd) &&
            !timeline_has(&r->f->kept.lines, seg) && !add_piece(r, seg, err)) {
            return false;
        }
    }
    return true;
}

/* The list of WAL tells the times; a file that is not in it tells its own. */
static bool read_times(struct reading *r, struct err *err)
{
    struct xlogdb *db = ARENA_NEW(r->f->a, struct xlogdb);
    uint32_t seg_size = r->f->kept.lines.seg_size;
    struct wal_file file;
    int more;

    if (!db) {
        return arena_err(r->f->a, err);
    }
    if (!xlogdb_open(db, &r->f->repo, err)) {
        return false;
    }
    while ((more = xlogdb_next(db, &file, err)) > 0) {
        struct err odd = {0};
        struct wal_seg seg;
        struct piece *p =
            wal_seg_parse(file.name, seg_size, &seg, &odd) ? piece_find(r, seg) : NULL;

        if (p && file.mtime > 0 && file.mtime < 1e12) {
            p->us = (int64_t)(file.mtime * 1e6);
        }
    }
    xlogdb_close(db);
    for (size_t i = 0; i < r->pieces; i++) {
        struct err odd = {0};
        char name[WAL_NAME_CAP];
        struct wal_found found;
        struct stat st;

        wal_seg_name(r->piece[i].seg, seg_size, name);
        if (!r->piece[i].us && wal_find(&r->f->repo, name, WAL_OR_PARTIAL, &found, &odd) &&
            stat(found.path, &st) == 0) {
            r->piece[i].us = (int64_t)st.st_mtim.tv_sec * US_PER_S + st.st_mtim.tv_nsec / 1000;
        }
    }
    return more == 0;
}

/* A file's records are older than itself and younger than the file before it. */
static void choose_pieces(struct reading *r)
{
    int64_t low = r->spec->from_us - SPARE_US, high = r->spec->to_us + SPARE_US;

    for (size_t i = 0; i < r->pieces; i++) {
        struct piece *p = &r->piece[i];
        const struct piece *before = i && p[-1].seg.tli == p->seg.tli ? p - 1 : NULL;

        p->is_wanted = p->us >= low && (!before || before->us <= high);
        r->out->of += p->is_wanted;
    }
}

static bool list_pieces(struct reading *r, struct err *err)
{
    const struct timelines *lines = &r->f->kept.lines;

    for (size_t i = 0; i < lines->segs; i++) {
        if (!add_piece(r, lines->seg[i], err)) {
            return false;
        }
    }
    if (!add_partials(r, err)) {
        return false;
    }
    if (r->pieces) {
        qsort(r->piece, r->pieces, sizeof *r->piece, by_place);
    }
    if (!read_times(r, err)) {
        return false;
    }
    choose_pieces(r);
    return true;
}

/* --- what is in them --- */

static bool add_point(struct reading *r, struct point p)
{
    if (p.at.us < r->spec->from_us || p.at.us > r->spec->to_us ||
        r->out->points == POINTS_MAX) {
        return true;
    }
    p.name = arena_strdup(r->f->a, p.name ? p.name : "");
    r->point[r->out->points++] = p;
    r->has_changed = true;
    return p.name || arena_err(r->f->a, &r->err);
}

/* Why the parent was left, as the history file has it. */
static const char *reason_of(const struct reading *r, pg_tli tli)
{
    const struct timelines *lines = &r->f->kept.lines;

    for (size_t i = 0; i < lines->n; i++) {
        const struct history *h = &lines->history[i];

        if (h->tli == tli && h->n > 1) {
            return h->entry[h->n - 2].reason;
        }
    }
    return "";
}

static bool add_switch(struct reading *r, const struct wal_event *e, pg_tli tli)
{
    struct mark at = {.us = e->time_us, .lsn = e->rec.start, .is_proven = true};

    return add_point(r, (struct point){POINT_SWITCH, at, tli, reason_of(r, tli)});
}

static bool on_event(void *ctx, const struct wal_event *e)
{
    struct reading *r = ctx;
    struct mark at = {.us = e->time_us, .lsn = e->rec.start, .is_proven = true};

    if (e->rec.start < r->own_from) {
        return true;
    }
    switch (e->kind) {
    case WAL_EVENT_COMMIT:
        if (e->time_us >= r->spec->from_us && e->time_us < r->spec->to_us) {
            r->count[(e->time_us - r->spec->from_us) / r->out->commits.step_us]++;
            r->has_changed = true;
        }
        return true;
    case WAL_EVENT_RESTORE_POINT:
        return add_point(r, (struct point){POINT_RESTORE_POINT, at, r->seg.tli, e->name});
    case WAL_EVENT_END_OF_RECOVERY:
        return e->end_of_recovery.tli == e->end_of_recovery.prev_tli ||
               add_switch(r, e, e->end_of_recovery.tli);
    case WAL_EVENT_CHECKPOINT:
        return e->checkpoint.tli == e->checkpoint.prev_tli ||
               add_switch(r, e, e->checkpoint.tli);
    default:
        return true;
    }
}

static int newest_first(const void *a, const void *b)
{
    const struct point *x = a, *y = b;

    if (x->at.us != y->at.us) {
        return x->at.us > y->at.us ? -1 : 1;
    }
    return (x->at.lsn < y->at.lsn) - (x->at.lsn > y->at.lsn);
}

static void tell(struct reading *r)
{
    if (r->out->points) {
        qsort(r->point, r->out->points, sizeof *r->point, newest_first);
    }
    if (r->spec->part) {
        r->spec->part(r->spec->ctx, r->out);
    }
    r->next_part = clock_mono_ns() + PART_NS;
    r->has_changed = false;
}

/* Where the timeline's own WAL begins in this segment, when the parent's copy is read too. */
static pg_lsn own_from(const struct reading *r, const struct history *h, struct wal_seg seg)
{
    const struct history_entry *own = history_find(h, seg.tli);
    struct wal_seg parent = {.no = seg.no};

    if (!own || h->n < 2 || own->begin / r->f->kept.lines.seg_size != seg.no) {
        return 0;
    }
    parent.tli = h->entry[h->n - 2].tli;
    return piece_find(r, parent) ? own->begin : 0;
}

static bool read_piece(struct reading *r, const struct piece *p, struct err *err)
{
    struct finder *f = r->f;
    pg_lsn from = wal_seg_start(p->seg, f->kept.lines.seg_size);
    struct history alone;
    const struct history *h = timeline_history(&f->kept.lines, p->seg.tli, &f->spare);
    struct wal_way_end end;

    if (!h) {
        if (!history_alone(f->a, p->seg.tli, &alone, err)) {
            return false;
        }
        h = &alone;
    }
    r->seg = p->seg;
    r->own_from = own_from(r, h, p->seg);
    f->way.route = h;
    if (!wal_way_walk(&f->way, from, from + f->kept.lines.seg_size, &end, err)) {
        return false;
    }
    if (r->err.code != ERR_NONE) {
        *err = r->err;
        return false;
    }
    r->out->segments++;
    return true;
}

/* The newest file first, whatever its timeline. */
static int by_time(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;

    if (x->us != y->us) {
        return x->us > y->us ? -1 : 1;
    }
    return wal_seg_cmp(y->seg, x->seg);
}

static bool read_pieces(struct reading *r, struct err *err)
{
    struct piece *wanted = ARENA_ARRAY(r->f->a, r->out->of + 1, struct piece);
    size_t n = 0;

    if (!wanted) {
        return arena_err(r->f->a, err);
    }
    for (size_t i = 0; i < r->pieces; i++) {
        if (r->piece[i].is_wanted) {
            wanted[n++] = r->piece[i];
        }
    }
    qsort(wanted, n, sizeof *wanted, by_time);
    r->f->way.progress.total = (uint64_t)n * r->f->kept.lines.seg_size;
    for (size_t i = 0; i < n; i++) {
        r->f->way.progress.done = (uint64_t)i * r->f->kept.lines.seg_size;
        if (!read_piece(r, &wanted[i], err)) {
            return false;
        }
        if (r->has_changed && clock_mono_ns() >= r->next_part) {
            tell(r);
        }
    }
    return true;
}

static bool add_backups(struct reading *r, struct err *err)
{
    struct catalogue c;

    if (!catalogue_look(&r->f->repo, r->f->a, &c, err)) {
        return false;
    }
    for (size_t i = 0; i < c.n; i++) {
        const struct backup *b = &c.backup[i];
        struct mark at = {.us = b->end_time.us, .lsn = b->end_xlog};

        if (backup_copy_done(b) && b->end_time.known &&
            !add_point(r, (struct point){POINT_BACKUP, at, b->timeline, b->id})) {
            *err = r->err;
            return false;
        }
    }
    return true;
}

static bool begin(struct reading *r, struct err *err)
{
    struct answer_points *out = r->out;
    int64_t span = r->spec->to_us - r->spec->from_us;
    int64_t step;

    if (span <= 0) {
        return err_set(err, ERR_USAGE, "Name a time that begins before it ends.", "",
                       "an empty span of time");
    }
    step = (span + BUCKETS - 1) / BUCKETS;
    step = step < US_PER_S ? US_PER_S : step;
    r->point = ARENA_ARRAY(r->f->a, POINTS_MAX, struct point);
    r->count = ARENA_ARRAY(r->f->a, BUCKETS, uint64_t);
    *out = (struct answer_points){
        .point = r->point,
        .commits = {.from_us = r->spec->from_us,
                    .step_us = step,
                    .bytes = r->count,
                    .n = (size_t)((span + step - 1) / step)},
    };
    r->next_part = clock_mono_ns() + PART_NS;
    return !r->f->a->failed || arena_err(r->f->a, err);
}

bool points_read(const struct task *t, const struct config *config,
                 const struct server_cfg *srv, const struct points_spec *spec, struct arena *a,
                 struct answer_points *out, struct err *err)
{
    struct finder *f = ARENA_NEW(a, struct finder);
    struct reading *r = ARENA_NEW(a, struct reading);

    if (!f || !r) {
        return arena_err(a, err);
    }
    r->f = f;
    r->spec = spec;
    r->out = out;
    if (!finder_open(f, t, config, srv, a, err) || !begin(r, err) || !add_backups(r, err)) {
        return false;
    }
    f->way.ctx = r;
    f->way.event = on_event;
    if (f->n && (!list_pieces(r, err) || !read_pieces(r, err))) {
        return false;
    }
    tell(r);
    return true;
}
