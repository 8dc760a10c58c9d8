/* SPDX-License-Identifier: PostgreSQL */
#include "layout.h"

#include "catalogue.h"
#include "xlogdb.h"
#include "xlogdb_line.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARKER_MAX 64

static bool marker_path(const struct repo *r, char out[PATH_CAP], struct err *err)
{
    return path_join(out, r->own_dir, "converting", err);
}

bool layout_converting(const struct repo *r, enum catalogue_layout *to)
{
    char path[PATH_CAP];
    struct err ignored;
    struct arena a;
    struct str text;
    bool is_on;

    if (!r->own_dir || !marker_path(r, path, &ignored) || access(path, F_OK) != 0) {
        return false;
    }
    arena_init(&a, 0);
    is_on = file_read(&a, path, MARKER_MAX, &text, &ignored);
    if (is_on) {
        text = str_trim(text);
        *to = str_eq(text, layout_name(LAYOUT_LEGACY)) ? LAYOUT_LEGACY : LAYOUT_CURRENT;
        is_on = str_eq(text, layout_name(*to));
    }
    arena_release(&a);
    return is_on;
}

static struct repo other_of(const struct repo *r)
{
    struct repo other = *r;

    other.layout = r->layout == LAYOUT_LEGACY ? LAYOUT_CURRENT : LAYOUT_LEGACY;
    return other;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

bool layout_stray(const struct repo *r, const char *id, struct layout_stray *out,
                  struct err *err)
{
    struct repo other = other_of(r);
    char path[PATH_CAP];

    if (!repo_info_path(&other, id, path, err)) {
        return false;
    }
    out->info = is_there(path);
    if (!note_elsewhere(r, id, NOTE_KEEP, &out->keep, err)) {
        return false;
    }
    return note_elsewhere(r, id, NOTE_DELETE, &out->mark, err);
}

bool layout_list_strays(const struct repo *r, bool *out, struct err *err)
{
    struct repo other = other_of(r);
    char path[PATH_CAP];

    if (!repo_xlogdb_path(&other, path, err)) {
        return false;
    }
    *out = is_there(path);
    return true;
}

/* Where both layouts have a list neither is believed: it is made from the files on disk. Not when
 * this conversion was interrupted: then it has written the one and was about to remove the other. */
static bool one_list(const struct repo *r, struct err *err)
{
    struct repo other = other_of(r);
    char from[PATH_CAP], to[PATH_CAP];
    struct xlogdb_rebuilt made;
    enum catalogue_layout on_its_way;

    if (layout_converting(r, &on_its_way) && on_its_way == r->layout) {
        return true;
    }
    return repo_xlogdb_path(&other, from, err) && repo_xlogdb_path(r, to, err) &&
           (!is_there(from) || !is_there(to) || xlogdb_rebuild(&other, &made, err));
}

bool layout_begin(const struct repo *r, struct err *err)
{
    char path[PATH_CAP], text[MARKER_MAX];

    str_fmt(text, sizeof text, "%s\n", layout_name(r->layout));
    return one_list(r, err) && marker_path(r, path, err) && dir_make(r->own_dir, err) &&
           file_replace(path, str_of(text), err);
}

/* A backup.info in base/ that is older than the one in meta/ says nothing: what keys it has is not
 * what the reader of the new one knows. */
static bool drop_stale(const struct repo *r, const char *id, struct err *err)
{
    char current[PATH_CAP], legacy[PATH_CAP];

    return repo_info_current_path(r, id, current, err) &&
           repo_info_legacy_path(r, id, legacy, err) &&
           (!is_there(current) || !is_there(legacy) || file_remove(legacy, err));
}

/* backup.info last: it is what tells that there is something left to do. */
static bool drop_legacy(const struct repo *r, const char *id, struct err *err)
{
    char path[PATH_CAP], facts[PATH_CAP];

    return repo_info_legacy_path(r, id, path, err) && repo_facts_path(r, id, facts, err) &&
           (!is_there(facts) || file_remove(facts, err)) &&
           (!is_there(path) || file_remove(path, err));
}

bool layout_backup(const struct repo *r, const struct backup *b, struct err *err)
{
    struct layout_stray stray;

    if (!layout_stray(r, b->id, &stray, err)) {
        return false;
    }
    if (stray.info) {
        if (r->layout == LAYOUT_LEGACY
                ? !backup_info_legacy_ok(b, err) || !drop_stale(r, b->id, err) ||
                      !backup_info_save(r, b, err)
                : !backup_info_save(r, b, err) || !drop_legacy(r, b->id, err)) {
            return false;
        }
    }
    if (stray.keep && !note_move(r, b->id, NOTE_KEEP, err)) {
        return false;
    }
    return !stray.mark || note_move(r, b->id, NOTE_DELETE, err);
}

bool layout_end(const struct repo *r, struct err *err)
{
    char path[PATH_CAP];

    if (r->layout == LAYOUT_LEGACY) {
        rmdir(r->meta_dir); /* not empty: stays */
    }
    return marker_path(r, path, err) && file_remove(path, err);
}

/* ---- the list of WAL ---------------------------------------------------------------- */

/* *whole: every line could be read, to the last one's end. */
static bool read_list(const struct repo *r, const struct repo *from, struct sbuf *text,
                      bool *whole, struct err *err)
{
    struct xlogdb db;
    struct wal_file wal;
    struct str line;
    int more;

    *whole = true;
    if (!xlogdb_open_locked(&db, from, err)) {
        return false;
    }
    while ((more = xlogdb_next_line(&db, &line, err)) > 0 && *whole) {
        *whole = xlogdb_parse_line(line, &wal);
        if (*whole && r->layout == LAYOUT_CURRENT) {
            xlogdb_put_line(text, &wal);
        } else if (*whole && xlogdb_legacy_ok(&wal, err)) {
            xlogdb_put_legacy_line(text, &wal);
        } else if (*whole) {
            xlogdb_close(&db);
            return false;
        }
    }
    *whole = *whole && db.at == db.n;
    xlogdb_close(&db);
    return more >= 0;
}

static bool write_list(const struct repo *r, const char *from, const char *to, bool *done,
                       struct err *err)
{
    struct repo other = other_of(r);
    struct sbuf text;
    struct stat st;
    struct arena a;
    size_t cap;
    char *mem;
    bool ok;

    if (stat(from, &st) != 0) {
        return err_os(err, errno, "read", from);
    }
    /* A line has 30 bytes at least and grows by one column, or by a longer number. */
    cap = 2 * (size_t)st.st_size + XLOGDB_LINE_MAX;
    arena_init(&a, 0);
    mem = arena_alloc(&a, cap);
    ok = mem ? true : arena_err(&a, err);
    if (ok) {
        sbuf_init(&text, mem, cap);
        ok = read_list(r, &other, &text, done, err);
        *done = *done && sbuf_ok(&text);
    }
    if (ok && *done) {
        ok = dir_make(r->layout == LAYOUT_LEGACY ? r->wals_dir : r->xlogdb_dir, err) &&
             file_replace(to, str_n(text.p, text.len), err) && file_remove(from, err);
    }
    arena_release(&a);
    return ok;
}

bool xlogdb_convert(const struct repo *r, struct err *err)
{
    struct repo other = other_of(r);
    char from[PATH_CAP], to[PATH_CAP];
    struct xlogdb_rebuilt made;
    bool done = false, ok = true;
    struct lock lock;

    if (!repo_xlogdb_path(&other, from, err) || !repo_xlogdb_path(r, to, err) ||
        !lock_take(&lock, r, LOCK_XLOGDB, LOCK_WAIT, err)) {
        return false;
    }
    if (!is_there(from)) {
        done = true;
    } else if (is_there(to)) {
        ok = done = file_remove(from, err);
    } else {
        ok = write_list(r, from, to, &done, err);
    }
    lock_release(&lock);
    return ok && (done || xlogdb_rebuild(r, &made, err));
}
