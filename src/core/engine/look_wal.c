/* SPDX-License-Identifier: PostgreSQL */
/* look_wal.c - the archive: which segments its directories hold, and what the list of WAL tells
 * of them. Lines that were added since the last look are read alone, as long as the directories
 * that changed hold exactly what is known and what was added; otherwise all is read anew.
 */
#include "base/clock.h"
#include "engine/look_in.h"
#include "repo/xlogdb_line.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct found {
    struct arena a;
    struct coverage_file *seg; /* by place */
    size_t n, cap, at;
    struct coverage_file *partial;
    size_t partials, partial_cap;
};

static bool push(struct arena *a, struct coverage_file **list, size_t *n, size_t *cap,
                 struct wal_seg seg, struct err *err)
{
    if (*n == *cap) {
        size_t more = *cap ? 2 * *cap : 256;
        struct coverage_file *p = ARENA_ARRAY(a, more, struct coverage_file);
        if (!p) {
            return arena_err(a, err);
        }
        if (*n) {
            memcpy(p, *list, *n * sizeof *p);
        }
        *list = p;
        *cap = more;
    }
    (*list)[(*n)++] = (struct coverage_file){.seg = seg};
    return true;
}

/* Names come sorted, and a whole segment before its partial. */
static bool list_dir(struct look *l, struct found *f, const char *name, struct err *err)
{
    struct names names;
    char path[PATH_CAP];
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = path_join(path, l->repo.wals_dir, name, err) &&
         dir_names(&a, path, DIR_MAY_MISS, &names, err);
    for (size_t i = 0; ok && i < names.n; i++) {
        enum wal_name_kind kind = wal_name_kind(str_of(names.name[i]), WAL_CASE_UPPER);
        char segment[WAL_NAME_CAP];
        struct wal_seg seg;
        struct err odd;

        if (kind != WAL_NAME_SEGMENT && kind != WAL_NAME_PARTIAL) {
            continue;
        }
        memcpy(segment, names.name[i], WAL_NAME_LEN);
        segment[WAL_NAME_LEN] = '\0';
        if (!wal_seg_parse(segment, l->runs.seg_size, &seg, &odd)) {
            continue; /* of another segment size */
        }
        ok = kind == WAL_NAME_SEGMENT
                 ? push(&f->a, &f->seg, &f->n, &f->cap, seg, err)
                 : push(&f->a, &f->partial, &f->partials, &f->partial_cap, seg, err);
    }
    arena_release(&a);
    return ok;
}

/* ---- which directories there are ---------------------------------------------------- */

static bool is_dir_name(const char *name)
{
    uint64_t hex;

    return strlen(name) == WAL_DIR_LEN && str_hex_u64(str_of(name), WAL_DIR_LEN, &hex);
}

static bool load_dirs(struct look *l, struct err *err)
{
    struct names names;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    arena_release(&l->dirs);
    arena_init(&l->dirs, 0);
    l->dir_n = l->old_partials = 0;
    ok = dir_names(&a, l->repo.wals_dir, DIR_MAY_MISS, &names, err);
    if (ok) {
        l->dir = ARENA_ARRAY(&l->dirs, names.n + 1, struct look_dir);
        ok = l->dir || arena_err(&l->dirs, err);
    }
    for (size_t i = 0; ok && i < names.n; i++) {
        if (is_dir_name(names.name[i])) {
            memcpy(l->dir[l->dir_n++].name, names.name[i], WAL_DIR_CAP);
        }
    }
    arena_release(&a);
    return ok;
}

static bool dir_changed(struct look *l, struct look_dir *d)
{
    char path[PATH_CAP];
    struct err odd;

    return path_join(path, l->repo.wals_dir, d->name, &odd) &&
           look_print_changed(&d->print, path);
}

/* ---- what the list says ------------------------------------------------------------- */

static struct coverage_file *find(struct found *f, struct wal_seg seg)
{
    size_t low = 0, high = f->n;

    if (f->at < f->n && wal_seg_cmp(f->seg[f->at].seg, seg) == 0) { /* lines come in order */
        return &f->seg[f->at++];
    }
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (wal_seg_cmp(f->seg[mid].seg, seg) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low == f->n || wal_seg_cmp(f->seg[low].seg, seg) != 0) {
        return NULL;
    }
    f->at = low + 1;
    return &f->seg[low];
}

/* Lines from byte `from` on. add: a segment that is not there yet is put at the end. */
static bool read_list(struct look *l, struct found *f, uint64_t from, bool add, struct err *err)
{
    struct wal_file wal;
    struct xlogdb db;
    struct str line;
    bool ok = true;
    int more;

    if (!xlogdb_open_from(&db, &l->repo, from, err)) {
        return false;
    }
    while (ok && (more = xlogdb_next_line(&db, &line, err)) > 0) {
        struct coverage_file *file;
        struct wal_seg seg;
        struct err odd;

        if (!xlogdb_parse_line(line, &wal)) {
            continue; /* check and cron tell of it */
        }
        list_counter_add(&l->counter, &wal);
        if (!wal_seg_parse(wal.name, l->runs.seg_size, &seg, &odd)) {
            continue;
        }
        if (add) {
            ok = push(&f->a, &f->seg, &f->n, &f->cap, seg, err);
            file = ok ? &f->seg[f->n - 1] : NULL;
        } else {
            file = find(f, seg);
        }
        if (file) {
            file->us = (int64_t)(wal.mtime * 1e6);
            file->bytes = wal.size;
        }
    }
    l->listed = db.offset;
    xlogdb_close(&db);
    return ok && more == 0;
}

/* ---- everything --------------------------------------------------------------------- */

/* On the disk and not in the list: about to be, or lost from it. */
static void ask_disk(const struct look *l, struct coverage_file *f)
{
    char name[WAL_NAME_CAP], path[PATH_CAP];
    struct stat st;
    struct err odd;

    wal_seg_name(f->seg, l->runs.seg_size, name);
    if (repo_wal_path(&l->repo, name, path, &odd) && lstat(path, &st) == 0) {
        f->us = (int64_t)st.st_mtim.tv_sec * US_PER_S + st.st_mtim.tv_nsec / 1000;
        f->bytes = (uint64_t)st.st_size;
    }
}

static bool take_all(struct look *l, struct found *f, struct err *err)
{
    int64_t now_us = clock_wall_ns() / 1000;
    uint32_t seg_size = l->runs.seg_size;

    wal_runs_release(&l->runs);
    wal_runs_init(&l->runs, seg_size);
    for (size_t i = 0; i < f->n; i++) {
        if (f->seg[i].us == 0 && f->seg[i].bytes == 0) {
            ask_disk(l, &f->seg[i]);
        }
        if (!wal_runs_add(&l->runs, &f->seg[i], now_us, err)) {
            return false;
        }
    }
    if (f->partials) {
        l->old_partial = ARENA_ARRAY(&l->dirs, f->partials, struct coverage_file);
        if (!l->old_partial) {
            return arena_err(&l->dirs, err);
        }
        memcpy(l->old_partial, f->partial, f->partials * sizeof *f->partial);
        l->old_partials = f->partials;
        for (size_t i = 0; i < f->partials; i++) {
            ask_disk(l, &l->old_partial[i]);
        }
    }
    return true;
}

static bool read_all(struct look *l, struct err *err)
{
    struct found f = {0};
    char path[PATH_CAP];
    bool ok;

    arena_init(&f.a, 0);
    ok = load_dirs(l, err) && repo_xlogdb_find(&l->repo, path, err);
    if (ok) {
        (void)look_print_changed(&l->xlogdb, path);
    }
    for (size_t i = 0; ok && i < l->dir_n; i++) {
        (void)dir_changed(l, &l->dir[i]);
        ok = list_dir(l, &f, l->dir[i].name, err);
    }
    if (l->backups) {
        memset(l->wal, 0, l->backups * sizeof *l->wal);
    }
    ok = ok && read_list(l, &f, 0, false, err) && take_all(l, &f, err);
    arena_release(&f.a);
    return ok;
}

/* ---- what was added ----------------------------------------------------------------- */

/* How many segments of a run lie between two places of its timeline. */
static uint64_t overlap(const struct wal_run *run, uint64_t first, uint64_t last)
{
    uint64_t from = run->first_no > first ? run->first_no : first;
    uint64_t to = run->last_no < last ? run->last_no : last;

    return from <= to ? to - from + 1 : 0;
}

/* Does the directory hold what the runs say, no more and no less? */
static bool dir_agrees(struct look *l, const char *name, bool *agrees, struct err *err)
{
    struct found f = {0};
    uint64_t per_dir = (UINT64_C(1) << 32) / l->runs.seg_size, tli = 0, hi = 0, known = 0;
    bool ok;

    arena_init(&f.a, 0);
    ok = list_dir(l, &f, name, err);
    *agrees = ok && str_hex_u64(str_n(name, 8), 8, &tli) &&
              str_hex_u64(str_n(name + 8, 8), 8, &hi) && f.partials == 0;
    if (*agrees) {
        struct wal_seg first = {(pg_tli)tli, hi * per_dir};
        for (size_t i = wal_runs_from(&l->runs, first);
             i < l->runs.n && l->runs.run[i].tli == first.tli &&
             l->runs.run[i].first_no < first.no + per_dir;
             i++) {
            known += overlap(&l->runs.run[i], first.no, first.no + per_dir - 1);
        }
    }
    for (size_t i = 0; *agrees && i < f.n; i++) {
        *agrees = wal_runs_find(&l->runs, f.seg[i].seg) != NULL;
    }
    *agrees = *agrees && known == f.n;
    arena_release(&f.a);
    return ok;
}

static bool add_lines(struct look *l, bool *added, struct err *err)
{
    int64_t now_us = clock_wall_ns() / 1000;
    struct found f = {0};
    uint64_t from = l->listed;
    bool ok;

    arena_init(&f.a, 0);
    ok = read_list(l, &f, from, true, err);
    for (size_t i = 0; ok && i < f.n; i++) {
        ok = wal_runs_add(&l->runs, &f.seg[i], now_us, err);
    }
    *added = f.n > 0 || l->listed != from;
    arena_release(&f.a);
    return ok;
}

/* *whole: everything must be read anew. */
static bool read_added(struct look *l, bool *changed, bool *whole, struct err *err)
{
    struct look_print before = l->xlogdb;
    char path[PATH_CAP];

    if (!repo_xlogdb_find(&l->repo, path, err)) {
        return false;
    }
    if (look_print_changed(&l->xlogdb, path)) {
        if (before.inode != l->xlogdb.inode || l->xlogdb.size < l->listed) {
            *whole = true;
            return true;
        }
        if (!add_lines(l, changed, err)) {
            return false;
        }
    }
    for (size_t i = 0; i < l->dir_n && !*whole; i++) {
        bool agrees = true;
        if (dir_changed(l, &l->dir[i])) {
            if (!dir_agrees(l, l->dir[i].name, &agrees, err)) {
                return false;
            }
            *whole = !agrees;
        }
    }
    return true;
}

/* A directory that is new, or gone. */
static bool dirs_differ(struct look *l, bool *differ, struct err *err)
{
    struct names names;
    struct arena a;
    size_t n = 0;

    arena_init(&a, 0);
    if (!dir_names(&a, l->repo.wals_dir, DIR_MAY_MISS, &names, err)) {
        arena_release(&a);
        return false;
    }
    *differ = false;
    for (size_t i = 0; i < names.n; i++) {
        if (is_dir_name(names.name[i])) {
            *differ = *differ || n >= l->dir_n || strcmp(l->dir[n].name, names.name[i]) != 0;
            n++;
        }
    }
    *differ = *differ || n != l->dir_n;
    arena_release(&a);
    return true;
}

bool look_wal(struct look *l, bool from_start, bool *changed, struct err *err)
{
    bool whole = from_start;

    if (!whole && l->wals_changed && !dirs_differ(l, &whole, err)) {
        return false;
    }
    if (!whole && !read_added(l, changed, &whole, err)) {
        return false;
    }
    if (whole) {
        *changed = true;
        return read_all(l, err);
    }
    return true;
}
