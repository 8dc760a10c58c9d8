/* SPDX-License-Identifier: PostgreSQL */
#include "wal_marks.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "wal_store.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define MARKS_FILE_MAX ((size_t)4 << 20)
#define WHY_MAX        200

static bool take_stamp(const char *path, struct damaged_wal *out)
{
    struct stat st;

    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return false;
    }
    out->size = (uint64_t)st.st_size;
    out->mtime_ns = (int64_t)st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
    return true;
}

bool wal_marks_add(const struct repo *r, const char *path, pg_lsn lsn, const char *why,
                   struct err *err)
{
    char file[PATH_CAP], line[512], at[FMT_CAP], when[STAMP_CAP];
    struct damaged_wal mark;

    if (!take_stamp(path, &mark)) {
        return err_os(err, errno, "read", path);
    }
    stamp_iso(stamp_local(clock_wall_ns() / 1000), when);
    str_fmt(line, sizeof line, "%s\t%" PRIu64 "\t%" PRId64 "\t%s\t%s\t%.*s\n", path_base(path),
            mark.size, mark.mtime_ns, fmt_lsn(lsn, at), when, WHY_MAX, why);
    return dir_make(r->own_dir, err) && path_join(file, r->own_dir, "wal-corrupt", err) &&
           file_append_line(file, line, err);
}

static const char *kept(struct arena *a, struct str text)
{
    return arena_fmt(a, "%.*s", (int)text.n, text.p);
}

bool wal_marks_parse_line(struct arena *a, struct str line, struct damaged_wal *out)
{
    struct str field[6];
    uint64_t mtime;

    for (size_t i = 0; i < 6; i++) {
        if (!str_split(&line, '\t', &field[i])) {
            return false;
        }
    }
    if (line.n || field[5].n > WHY_MAX ||
        wal_name_kind(field[0], WAL_CASE_UPPER) != WAL_NAME_SEGMENT ||
        !str_u64(field[1], INT64_MAX, &out->size) || !str_u64(field[2], INT64_MAX, &mtime) ||
        !wal_lsn_parse(field[3], &out->lsn)) {
        return false;
    }
    out->mtime_ns = (int64_t)mtime;
    out->name = kept(a, field[0]);
    out->why = kept(a, field[5]);
    return out->name && out->why;
}

/* Does it lie there as it was when it was found damaged? */
static bool holds(const struct repo *r, const struct damaged_wal *mark)
{
    struct wal_found found;
    struct damaged_wal now;
    struct err ignored;

    return wal_find(r, mark->name, WAL_WHOLE, &found, &ignored) &&
           take_stamp(found.path, &now) && now.size == mark->size &&
           now.mtime_ns == mark->mtime_ns;
}

static bool is_there(const struct wal_marks *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++) {
        if (strcmp(m->mark[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

bool wal_marks_load(const struct repo *r, struct arena *a, struct wal_marks *out,
                    struct err *err)
{
    char file[PATH_CAP];
    struct str text, line;
    struct err why = {0};

    *out = (struct wal_marks){0};
    if (!path_join(file, r->own_dir, "wal-corrupt", err)) {
        return false;
    }
    if (!file_read(a, file, MARKS_FILE_MAX, &text, &why)) {
        if (why.code == ERR_MISSING) {
            return true;
        }
        *err = why;
        return false;
    }
    out->mark = ARENA_ARRAY(a, WAL_MARKS_MAX, struct damaged_wal);
    if (!out->mark) {
        return arena_err(a, err);
    }
    while (out->n < WAL_MARKS_MAX && str_line(&text, &line)) {
        struct damaged_wal *m = &out->mark[out->n];
        out->n += wal_marks_parse_line(a, line, m) && !is_there(out, m->name) && holds(r, m);
    }
    return !a->failed || arena_err(a, err);
}
