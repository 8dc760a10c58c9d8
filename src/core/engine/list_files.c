/* SPDX-License-Identifier: PostgreSQL */
#include "engine/list_files.h"

#include "repo/xlogdb.h"
#include "wal/seg.h"

#include <string.h>
#include <sys/stat.h>

unsigned list_files_what(const char *target)
{
    static const struct {
        const char *name;
        unsigned what;
    } targets[] = {
        {"data", LIST_DATA},
        {"wal", LIST_WAL},
        {"full", LIST_DATA | LIST_WAL},
    };

    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        if (strcmp(target, targets[i].name) == 0) {
            return targets[i].what;
        }
    }
    return LIST_DATA | LIST_NEEDED_WAL;
}

/* A link of pg_tblspc: what it leads to is listed where it lies, below the backup's directory. */
static bool is_link_to_dir(const char *path)
{
    struct stat st;

    return file_kind(path, NULL) == FILE_LINK && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Files first, then what lies in the directories. Deeper than paths can be is never reached. */
static bool walk(const struct task *t, const struct list_files *l, struct arena *a,
                 const char *dir, struct err *err)
{
    struct arena_mark mark = arena_mark(a);
    struct names names;
    char path[PATH_CAP];
    bool ok = task_go_on(t, err) && dir_names(a, dir, DIR_MAY_MISS, &names, err);

    if (ok && names.n == 0 && (l->what & LIST_EMPTY_DIRS) && file_kind(dir, NULL) == FILE_DIR) {
        l->put(l->ctx, dir);
    }
    for (size_t i = 0; ok && i < names.n; i++) {
        ok = path_join(path, dir, names.name[i], err);
        if (ok && file_kind(path, NULL) != FILE_DIR) {
            if (!is_link_to_dir(path)) {
                l->put(l->ctx, path);
            }
            names.name[i] = NULL;
        }
    }
    for (size_t i = 0; ok && i < names.n; i++) {
        if (names.name[i]) {
            ok = path_join(path, dir, names.name[i], err) && walk(t, l, a, path, err);
        }
    }
    arena_reset(a, mark);
    return ok;
}

static bool list_data(const struct task *t, const struct list_files *l, struct err *err)
{
    char path[PATH_CAP];
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = repo_backup_dir(l->repo, l->backup->id, path, err) && walk(t, l, &a, path, err);
    arena_release(&a);
    return ok;
}

static bool put_wal_path(const struct list_files *l, const char *name, struct err *err)
{
    char path[PATH_CAP];

    if (!repo_wal_path(l->repo, name, path, err)) {
        return false;
    }
    l->put(l->ctx, path);
    return true;
}

static bool list_needed(const struct list_files *l, struct err *err)
{
    const struct backup *b = l->backup;
    struct wal_seg seg, end;

    if (!wal_seg_parse(b->begin_wal, b->xlog_segment_size, &seg, err) ||
        !wal_seg_parse(b->end_wal, b->xlog_segment_size, &end, err)) {
        return false;
    }
    if (seg.tli != end.tli || seg.no > end.no) {
        return err_set(err, ERR_FORMAT, "", b->id,
                       "its WAL goes from %s to %s, which is no stretch of one timeline",
                       b->begin_wal, b->end_wal);
    }
    for (; seg.no <= end.no; seg.no++) {
        char name[WAL_NAME_CAP];

        wal_seg_name(seg, b->xlog_segment_size, name);
        if (!put_wal_path(l, name, err)) {
            return false;
        }
    }
    return true;
}

/* History files of every age, and the segments of this backup's timeline and those before. */
static bool is_listed(const struct list_files *l, const char *next_end, const char *name)
{
    enum wal_name_kind kind = wal_name_kind(str_of(name), WAL_CASE_EITHER);
    pg_tli tli, ours;

    if (kind == WAL_NAME_HISTORY) {
        return true;
    }
    return kind == WAL_NAME_SEGMENT && strcmp(name, l->backup->begin_wal) >= 0 &&
           (!next_end || strcmp(name, next_end) <= 0) && wal_name_tli(str_of(name), &tli) &&
           wal_name_tli(str_of(l->backup->begin_wal), &ours) && tli <= ours;
}

static bool list_archived(const struct task *t, const struct list_files *l, struct err *err)
{
    const struct backup *next = catalogue_next(l->catalogue, l->backup->id);
    struct wal_file wal;
    struct xlogdb db;
    bool ok = true;
    int more = 0;

    if (!xlogdb_open(&db, l->repo, err)) {
        return false;
    }
    while (ok && (more = xlogdb_next(&db, &wal, err)) > 0) {
        ok = task_go_on(t, err) && (!is_listed(l, next ? next->end_wal : NULL, wal.name) ||
                                    put_wal_path(l, wal.name, err));
    }
    xlogdb_close(&db);
    return ok && more == 0;
}

bool list_files(const struct task *t, const struct list_files *l, struct err *err)
{
    if ((l->what & LIST_DATA) && !list_data(t, l, err)) {
        return false;
    }
    if (!(l->what & (LIST_NEEDED_WAL | LIST_WAL))) {
        return true;
    }
    if (!l->backup->begin_wal || (!l->backup->end_wal && (l->what & LIST_NEEDED_WAL))) {
        return err_set(err, ERR_MISSING, "List its data only: --target data.", l->backup->id,
                       "the backup does not know which WAL it needs");
    }
    return (!(l->what & LIST_NEEDED_WAL) || list_needed(l, err)) &&
           (!(l->what & LIST_WAL) || list_archived(t, l, err));
}
