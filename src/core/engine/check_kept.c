/* SPDX-License-Identifier: PostgreSQL */
#include "base/clock.h"
#include "base/file.h"
#include "base/fmt.h"
#include "engine/check_in.h"
#include "engine/list.h"
#include "plan/retention.h"
#include "repo/wal_marks.h"
#include "repo/xlogdb.h"

#include <inttypes.h>
#include <string.h>

/* ---- what waits --------------------------------------------------------------------- */

static bool has_archived(struct checking *c)
{
    struct arena_mark mark = arena_mark(c->a);
    struct xlogdb *db = ARENA_NEW(c->a, struct xlogdb);
    struct wal_file wal;
    struct err why;
    bool has = false;

    if (db && xlogdb_open(db, c->repo, &why)) {
        has = xlogdb_next(db, &wal, &why) == 1;
        xlogdb_close(db);
    }
    arena_reset(c->a, mark);
    return has;
}

static bool has_waiting_backup(struct checking *c)
{
    struct catalogue all;
    struct err why;

    if (!catalogue_look(c->repo, c->a, &all, &why)) {
        return false;
    }
    for (size_t i = 0; i < all.n; i++) {
        if (all.backup[i].status == BACKUP_WAITING_FOR_WALS) {
            return true;
        }
    }
    return false;
}

static size_t count_waiting(struct checking *c, const char *dir)
{
    struct arena_mark mark = arena_mark(c->a);
    struct names names = {0};
    struct err why;
    size_t n = 0;

    if (dir_names(c->a, dir, DIR_MAY_MISS, &names, &why)) {
        for (size_t i = 0; i < names.n; i++) {
            n += names.name[i][0] != '.' && !str_ends(str_of(names.name[i]), ".tmp");
        }
    }
    arena_reset(c->a, mark);
    return n;
}

struct queue {
    const char *must_be_empty, *too_many; /* labels */
    const char *archiver;                 /* the option that empties it */
    const char *dir;
    size_t n;
    bool is_used;
};

static void one_queue(struct checking *c, const struct queue *q)
{
    int64_t most = c->srv->max_incoming_wals_queue;

    if (!q->is_used && q->n > 0) {
        check_add(c, q->must_be_empty, false,
                  arena_fmt(c->a, "'%s' must be empty when %s=off", q->dir, q->archiver),
                  CHECK_NOT_FOR_BACKUP);
    } else if (q->is_used && most != CFG_UNSET && q->n > (uint64_t)most) {
        check_add(
            c, q->too_many, false,
            arena_fmt(c->a, "there are too many WALs in queue: %zu, max %" PRId64, q->n, most),
            CHECK_NOT_FOR_BACKUP);
    }
}

void check_waiting(struct checking *c)
{
    const struct queue incoming = {.must_be_empty = "empty incoming directory",
                                   .too_many = "incoming WALs directory",
                                   .archiver = "archiver",
                                   .dir = c->repo->incoming_dir,
                                   .n = count_waiting(c, c->repo->incoming_dir),
                                   .is_used = c->srv->archiver};
    size_t n = count_waiting(c, c->repo->streaming_dir);
    const struct queue streaming = {.must_be_empty = "empty streaming directory",
                                    .too_many = "streaming WALs directory",
                                    .archiver = "streaming_archiver",
                                    .dir = c->repo->streaming_dir,
                                    .n = n ? n - 1 : 0, /* one is the .partial */
                                    .is_used = c->srv->streaming_archiver};

    if (!has_archived(c) && !has_waiting_backup(c)) {
        /* The receiver's own line tells whether WAL comes; an idle server has sent none yet. */
        check_add(
            c, "WAL archive", false,
            "please make sure WAL shipping is setup; switch-wal --force sends a first file",
            c->srv->streaming_archiver ? CHECK_NOT_FOR_BACKUP : CHECK_CRITICAL);
    }
    one_queue(c, &incoming);
    one_queue(c, &streaming);
}

/* ---- backups ------------------------------------------------------------------------ */

struct limit {
    const char *label;
    const char *unset; /* the hint when there is no limit */
    const char *what;
    const char *none; /* the hint when there is none; NULL: it stands behind the limit */
    int64_t most_s;   /* up to a million months, which fits in microseconds */
    int64_t (*before)(int64_t us, int64_t span_us);
};

static int64_t by_the_hour(int64_t us, int64_t span_us)
{
    return us - span_us;
}

/* "3 days" of a number of microseconds, of any. */
static const char *span_text(int64_t us, char out[FMT_CAP])
{
    return fmt_duration(us > INT64_MAX / 1000 ? INT64_MAX : us * 1000, out);
}

/* at_us: when it was made, since 1970; 0: there is none. A moment still to come is as young as
 * can be. */
static void age(struct checking *c, const struct limit *l, int64_t at_us)
{
    int64_t now_us = c->now_ns / 1000, old_us = at_us < now_us ? now_us - at_us : 0;
    char most[FMT_CAP], old[FMT_CAP];

    if (l->most_s == CFG_UNSET) {
        check_add(c, l->label, true, l->unset, CHECK_NOT_FOR_BACKUP);
        return;
    }
    span_text(l->most_s * 1000000, most);
    if (at_us == 0) {
        check_add(c, l->label, false,
                  l->none ? l->none
                          : arena_fmt(c->a,
                                      "interval provided: %s, latest %s age: No available %ss",
                                      most, l->what, l->what),
                  CHECK_NOT_FOR_BACKUP);
        return;
    }
    check_add(c, l->label, at_us >= l->before(now_us, l->most_s * 1000000),
              arena_fmt(c->a, "interval provided: %s, latest %s age: %s", most, l->what,
                        span_text(old_us, old)),
              CHECK_NOT_FOR_BACKUP);
}

static void backup_age(struct checking *c, const struct backup *last)
{
    const struct limit limit = {"backup maximum age",
                                "no last_backup_maximum_age provided",
                                "backup",
                                NULL,
                                c->srv->last_backup_maximum_age,
                                clock_local_before}; /* as of a recovery window */

    age(c, &limit, last && last->end_time.known ? last->end_time.us : 0);
}

static void backup_size(struct checking *c, const struct backup *last)
{
    int64_t size = last ? (int64_t)last->size : 0, limit = c->srv->last_backup_minimum_size;
    bool ok = limit == CFG_UNSET || size >= limit;
    char text[FMT_CAP], least[FMT_CAP];

    fmt_size(size, text);
    check_add(c, "backup minimum size", ok,
              limit == CFG_UNSET ? arena_strdup(c->a, text)
                                 : arena_fmt(c->a, "last backup size %s %s %s minimum", text,
                                             ok ? ">" : "<", fmt_size(limit, least)),
              CHECK_NOT_FOR_BACKUP);
    c->out->line[c->out->n - 1].perfdata = size;
}

static void wal_lines(struct checking *c, const struct backup_wal *wal)
{
    const struct limit limit = {"wal maximum age",
                                "no last_wal_maximum_age provided",
                                "wal",
                                "No WAL files archived for last backup",
                                c->srv->last_wal_maximum_age,
                                by_the_hour};
    int64_t size = wal ? (int64_t)wal->next_size : 0;
    char text[FMT_CAP];

    age(c, &limit,
        wal && wal->last_time > 0 && wal->last_time < 9e12 ? (int64_t)(wal->last_time * 1e6)
                                                           : 0);
    check_add(c, "wal size", true, arena_strdup(c->a, fmt_size(size, text)),
              CHECK_NOT_FOR_BACKUP);
    c->out->line[c->out->n - 1].perfdata = size;
}

/* ---- settings ----------------------------------------------------------------------- */

static void retention(struct checking *c)
{
    struct retention policy;
    struct err why;
    bool ok = (!c->srv->retention_policy ||
               retention_parse(str_of(c->srv->retention_policy), &policy, &why)) &&
              (!c->srv->wal_retention_policy ||
               retention_parse_wal(str_of(c->srv->wal_retention_policy), &policy, &why));

    check_add(c, "retention policy settings", ok, ok ? NULL : check_why(c, &why),
              CHECK_CRITICAL);
}

static void compression(struct checking *c)
{
    const char *codec = c->srv->compression;
    bool ok = !codec || strcmp(codec, "custom") != 0 ||
              (c->srv->custom_compression_filter && c->srv->custom_decompression_filter &&
               c->srv->custom_compression_magic);

    check_add(c, "compression settings", ok,
              ok ? NULL
                 : "custom compression needs custom_compression_filter, "
                   "custom_decompression_filter and custom_compression_magic",
              CHECK_CRITICAL);
}

/* ---- the catalogue ------------------------------------------------------------------ */

/* One that has lost its files is no redundancy; nothing else would tell before the restore. */
static bool is_lost(struct checking *c, const struct backup *b)
{
    if (!backup_copy_done(b) || !backup_is_orphan(c->repo, b)) {
        return false;
    }
    check_add(c, "backup files", false,
              arena_fmt(c->a, "nothing is left of backup %s but its backup.info", b->id),
              CHECK_NOT_FOR_BACKUP);
    return true;
}

static void counts(struct checking *c, const struct catalogue *all)
{
    int64_t failed = 0, full = 0;

    for (size_t i = 0; i < all->n; i++) {
        failed += all->backup[i].status == BACKUP_FAILED;
        full += !is_lost(c, &all->backup[i]) && all->backup[i].status == BACKUP_DONE &&
                !all->backup[i].parent_backup_id;
    }
    check_add(c, "failed backups", failed == 0,
              arena_fmt(c->a, "there are %" PRId64 " failed backups", failed),
              CHECK_NOT_FOR_BACKUP);
    check_add(c, "minimum redundancy requirements", full >= c->srv->minimum_redundancy,
              arena_fmt(c->a,
                        "have %" PRId64 " non-incremental backups, expected at least %" PRId64,
                        full, c->srv->minimum_redundancy),
              CHECK_NOT_FOR_BACKUP);
}

void check_repository(struct checking *c)
{
    const struct backup *last = NULL;
    const struct backup_wal *wal = NULL;
    struct backup_list list = {0};
    struct err why;
    bool ok;

    if (!c->srv->disabled) {
        ok = repo_make_dirs(c->repo, &why);
        check_add(c, "directories", ok, ok ? NULL : check_why(c, &why), CHECK_CRITICAL);
    }
    retention(c);
    if (!list_load(c->repo, c->a, &list, &why)) {
        check_add(c, "backup maximum age", false, check_why(c, &why), CHECK_CRITICAL);
        return;
    }
    if (list.catalogue.unread) {
        check_add(c, "backup.info files", false, check_why(c, list.catalogue.why),
                  CHECK_NOT_FOR_BACKUP);
    }
    for (size_t i = 0; i < list.catalogue.n; i++) {
        enum backup_status s = list.catalogue.backup[i].status;
        if (s == BACKUP_DONE || s == BACKUP_WAITING_FOR_WALS) {
            last = &list.catalogue.backup[i];
            wal = &list.wal[i];
        }
    }
    backup_age(c, last);
    backup_size(c, last);
    check_encryption(c);
    wal_lines(c, wal);
    compression(c);
    counts(c, &list.catalogue);
}

/* ---- errors/ ------------------------------------------------------------------------ */

/* By the end of a file's name; whatever has none of them is the last kind. */
static const struct {
    const char *suffix, *name;
} error_kind[] = {
    {".duplicate", "duplicates"},
    {".unknown", "unknown"},
    {".error", "not relevant"},
    {"", "unknown failure"},
};

#define ERROR_KINDS (sizeof error_kind / sizeof error_kind[0])

/* "duplicates: 2, unknown: 1": the kinds there are. */
static const char *error_kinds(struct arena *a, const struct names *names)
{
    size_t count[ERROR_KINDS] = {0};
    char text[128];
    struct sbuf b;

    for (size_t i = 0; i < names->n; i++) {
        size_t k = 0;
        while (!str_ends(str_of(names->name[i]), error_kind[k].suffix)) {
            k++;
        }
        count[k]++;
    }
    sbuf_init(&b, text, sizeof text);
    for (size_t k = 0; k < ERROR_KINDS; k++) {
        if (count[k]) {
            sbuf_fmt(&b, "%s%s: %zu", b.len ? ", " : "", error_kind[k].name, count[k]);
        }
    }
    return arena_strdup(a, text);
}

/* Only when there is something to tell. */
static void damaged_wal(struct checking *c)
{
    struct wal_marks marks;
    struct err why;

    if (!wal_marks_load(c->repo, c->a, &marks, &why)) {
        check_add(c, "WAL records", false, check_why(c, &why), CHECK_NOT_FOR_BACKUP);
    } else if (marks.n == 1) {
        check_add(c, "WAL records", false,
                  arena_fmt(c->a, "%s is damaged: %s", marks.mark[0].name, marks.mark[0].why),
                  CHECK_NOT_FOR_BACKUP);
    } else if (marks.n > 1) {
        check_add(c, "WAL records", false,
                  arena_fmt(c->a, "%zu segments are damaged, the last one %s: %s", marks.n,
                            marks.mark[marks.n - 1].name, marks.mark[marks.n - 1].why),
                  CHECK_NOT_FOR_BACKUP);
    }
}

void check_errors(struct checking *c)
{
    struct names names = {0};
    struct err why;

    if (!dir_names(c->a, c->repo->errors_dir, DIR_MAY_MISS, &names, &why)) {
        check_add(c, "archiver errors", false, check_why(c, &why), CHECK_NOT_FOR_BACKUP);
        return;
    }
    check_add(c, "archiver errors", names.n == 0, names.n ? error_kinds(c->a, &names) : NULL,
              CHECK_NOT_FOR_BACKUP);
    damaged_wal(c);
}
