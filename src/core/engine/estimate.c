/* SPDX-License-Identifier: PostgreSQL */
#include "engine/estimate.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "pg/facts.h"
#include "repo/xlogdb.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DAY_S    (24 * 3600)
#define KIB      1024.0
#define SEG_SIZE (16u << 20) /* where the server does not tell */

struct estimating {
    const struct task *t;
    const struct repo *r;
    const struct server_cfg *srv;
    struct arena *a;
    struct estimate *out;
    struct pg *pg;
    struct pg_facts facts;
    struct catalogue all;
};

/* ---- the server ---------------------------------------------------------------------- */

static bool read_spaces(struct estimating *e, struct err *err)
{
    struct estimate_space *space;
    struct pg_rows r;

    if (!pg_query(e->pg, e->t,
                  "SELECT spcname, oid, pg_catalog.pg_tablespace_location(oid),"
                  " pg_catalog.pg_tablespace_size(oid) FROM pg_catalog.pg_tablespace"
                  " ORDER BY spcname",
                  NULL, &r, err)) {
        return err_wrap(err, "read the sizes of the tablespaces");
    }
    space = ARENA_ARRAY(e->a, (size_t)r.rows + 1, struct estimate_space);
    for (int row = 0; space && row < r.rows; row++) {
        uint64_t oid = 0, bytes = 0;
        const char *location = pg_text(&r, row, 2);

        (void)pg_u64(&r, row, 1, &oid);
        (void)pg_u64(&r, row, 3, &bytes);
        space[row] = (struct estimate_space){.name = arena_strdup(e->a, pg_text(&r, row, 0)),
                                             .location = arena_strdup(e->a, location),
                                             .oid = (uint32_t)oid,
                                             .bytes = bytes};
        e->out->cluster += bytes;
    }
    e->out->space = space;
    e->out->spaces = (size_t)r.rows;
    pg_rows_clear(&r);
    return !e->a->failed || arena_err(e->a, err);
}

/* ---- what was seen before ------------------------------------------------------------ */

static bool same_compression(const struct server_cfg *srv, const struct backup *b)
{
    const char *want = srv->backup_compression, *has = b->compression;

    want = want && strcmp(want, "none") != 0 ? want : "none";
    has = has ? has : "none";
    return strcmp(want, has) == 0;
}

static const struct backup *last_like(const struct estimating *e)
{
    for (size_t i = e->all.n; i-- > 0;) {
        const struct backup *b = &e->all.backup[i];

        if (backup_copy_done(b) && backup_type_of(b) == BACKUP_FULL && b->cluster_size &&
            b->size && same_compression(e->srv, b)) {
            return b;
        }
    }
    return NULL;
}

static void full_size(struct estimating *e)
{
    const struct backup *like = last_like(e);
    struct estimate *out = e->out;
    double speed = 0, limit = 0;

    out->share = 1;
    if (like) {
        out->like = like->id;
        out->share = (double)like->size / (double)like->cluster_size;
        speed = like->copy_time > 0 ? (double)like->cluster_size / like->copy_time : 0;
    }
    if (e->srv->bandwidth_limit > 0) {
        limit = (double)e->srv->bandwidth_limit * KIB;
        speed = speed > 0 && speed < limit ? speed : limit;
    }
    out->full = (uint64_t)((double)out->cluster * out->share);
    out->seconds = speed > 0 ? (double)out->cluster / speed : 0;
}

/* Bytes archived a second over the last day; less when the archive is younger. */
static bool wal_rate(struct estimating *e, struct err *err)
{
    struct xlogdb *db = ARENA_NEW(e->a, struct xlogdb);
    double now = (double)clock_wall_ns() / 1e9, since = now - DAY_S, first = now;
    uint64_t bytes = 0;
    struct wal_file wal;
    int more;

    if (!db) {
        return arena_err(e->a, err);
    }
    if (!xlogdb_open_from(db, e->r, 0, err)) {
        return false;
    }
    while ((more = xlogdb_next(db, &wal, err)) == 1) {
        if (wal.mtime >= since && wal.mtime <= now) {
            bytes += wal.size;
            first = wal.mtime < first ? wal.mtime : first;
        }
    }
    xlogdb_close(db);
    /* From the first file on: of one moment nothing can be told. */
    e->out->wal_rate = now - first >= 60 ? (double)bytes / (now - first) : 0;
    return more == 0;
}

static void wal_size(struct estimating *e)
{
    uint64_t seg = e->facts.wal_segment_size ? e->facts.wal_segment_size : SEG_SIZE;

    e->out->wal = (uint64_t)(e->out->wal_rate * e->out->seconds);
    e->out->wal = e->out->wal < seg ? seg : e->out->wal;
}

/* ---- an incremental backup ----------------------------------------------------------- */

static const struct backup *latest(const struct estimating *e)
{
    for (size_t i = e->all.n; i-- > 0;) {
        if (backup_copy_done(&e->all.backup[i])) {
            return &e->all.backup[i];
        }
    }
    return NULL;
}

static const char *no_incremental(struct estimating *e, const struct backup *parent)
{
    const struct pg_facts *f = &e->facts;

    if (f->version < 170000) {
        return arena_fmt(e->a, "PostgreSQL %d has no incremental backups", f->version / 10000);
    }
    if (!f->summarize_wal || strcmp(f->summarize_wal, "on") != 0) {
        return "summarize_wal is off";
    }
    if (!parent) {
        return "there is no backup it could be on top of";
    }
    if (parent->version / 10000 != f->version / 10000) {
        return "the latest backup is of another version of PostgreSQL";
    }
    if (parent->systemid && f->systemid && strcmp(parent->systemid, f->systemid) != 0) {
        return "the latest backup is of another cluster";
    }
    return NULL;
}

/* Blocks that the summaries name from the begin of the parent on; a relation that was made since
 * has all its blocks in them. */
static const char *const changed_blocks =
    "WITH s AS (SELECT * FROM pg_catalog.pg_available_wal_summaries()"
    " WHERE end_lsn > $1::pg_lsn)"
    " SELECT count(DISTINCT (c.reltablespace, c.reldatabase, c.relfilenode, c.relforknumber,"
    " c.relblocknumber)) * pg_catalog.current_setting('block_size')::bigint,"
    " coalesce((SELECT min(start_lsn) FROM s) <= $1::pg_lsn, false)"
    " FROM s, LATERAL pg_catalog.pg_wal_summary_contents(s.tli, s.start_lsn, s.end_lsn) AS c"
    " WHERE NOT c.is_limit_block";

static void incremental(struct estimating *e)
{
    const struct backup *parent = latest(e);
    struct estimate *out = e->out;
    char lsn[FMT_CAP], text[512];
    const char *params[2] = {NULL, NULL};
    struct pg_rows r = {0};
    struct err why = {0};

    out->parent = parent ? parent->id : NULL;
    out->incremental_why = no_incremental(e, parent);
    if (out->incremental_why) {
        return;
    }
    params[0] = fmt_lsn(parent->begin_xlog, lsn);
    if (!pg_query(e->pg, e->t, changed_blocks, params, &r, &why)) {
        out->incremental_why = arena_strdup(e->a, err_text(&why, text, sizeof text));
        return;
    }
    if (r.rows == 1 && pg_bool(&r, 0, 1) && pg_u64(&r, 0, 0, &out->incremental)) {
        out->incremental_known = true;
        /* No more than all of it. */
        out->incremental = out->incremental < out->cluster ? out->incremental : out->cluster;
    } else {
        out->incremental_why = "the server's WAL summaries do not reach back to that backup";
    }
    pg_rows_clear(&r);
}

/* ---- room ---------------------------------------------------------------------------- */

/* The nearest directory there is. */
static bool look_at_room(struct arena *a, const char *place, struct estimate_room *out,
                         dev_t *dev)
{
    char path[PATH_CAP], above[PATH_CAP];
    struct statvfs fs;
    struct stat st;

    if (!str_copy(path, sizeof path, place)) {
        return false;
    }
    while (stat(path, &st) != 0 && strcmp(path, "/") != 0 && strcmp(path, ".") != 0) {
        path_dir(path, above);
        memcpy(path, above, sizeof path);
        if (!path[0]) {
            str_copy(path, sizeof path, "/");
        }
    }
    if (stat(path, &st) != 0 || statvfs(path, &fs) != 0) {
        return false;
    }
    out->path = arena_strdup(a, path);
    out->free = (uint64_t)fs.f_bavail * fs.f_frsize;
    out->known = out->path != NULL;
    *dev = st.st_dev;
    return out->known;
}

static void room(struct estimating *e)
{
    struct estimate *out = e->out;
    dev_t base = 0, wals = 0;
    bool both = look_at_room(e->a, e->r->base_dir, &out->base, &base) &&
                look_at_room(e->a, e->r->wals_dir, &out->wals, &wals);

    out->base.needs = out->full;
    out->wals.needs = out->wal;
    if (!both || base == wals) {
        out->base.needs += out->wal;
        out->wals = (struct estimate_room){0};
    }
    out->fits = out->base.known && out->base.free >= out->base.needs &&
                (!out->wals.known || out->wals.free >= out->wals.needs);
}

/* ---- the verb ------------------------------------------------------------------------ */

static bool ask(struct estimating *e, struct err *err)
{
    if (!e->srv->conninfo) {
        return err_set(err, ERR_CONFIG, "Set conninfo.", e->srv->name,
                       "has no connection string");
    }
    e->pg = pg_open(e->t, &(struct pg_target){.conninfo = e->srv->conninfo}, err);
    return e->pg && pg_facts_read(e->pg, e->t, e->a, &e->facts, err) && read_spaces(e, err);
}

bool estimate_size(const struct task *t, const struct repo *r, const struct server_cfg *srv,
                   struct arena *a, struct estimate *out, struct err *err)
{
    struct estimating e = {.t = t, .r = r, .srv = srv, .a = a, .out = out};
    bool ok;

    *out = (struct estimate){.share = 1};
    ok = catalogue_look(r, a, &e.all, err) && ask(&e, err) && wal_rate(&e, err);
    if (ok) {
        full_size(&e);
        wal_size(&e);
        incremental(&e);
        room(&e);
    }
    pg_close(e.pg);
    return ok && (!a->failed || arena_err(a, err));
}
