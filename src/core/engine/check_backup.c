/* SPDX-License-Identifier: PostgreSQL */
#include "check_backup.h"

#include "wal/seg.h"

#include <string.h>

static bool bad_wal_name(const struct backup *b, const char *name, struct err *err)
{
    return err_set(err, ERR_FORMAT, "Look at begin_wal and end_wal in its backup.info.", b->id,
                   "'%s' is not a WAL segment name", name);
}

/* The first needed segment that is not archived, up to the newest; "" when there is none. What
 * has arrived and waits to be archived is not missing: newer ones may come before it. */
static bool first_missing(const struct repo *r, const struct backup *b, const char *newest,
                          char missing[WAL_FILE_NAME_CAP], bool *waits, struct err *err)
{
    struct wal_seg seg, end;
    char name[WAL_NAME_CAP], path[PATH_CAP];
    struct wal_found found;
    struct err ignored;

    *waits = false;
    if (!wal_seg_parse(b->begin_wal, b->xlog_segment_size, &seg, err) ||
        !wal_seg_parse(b->end_wal, b->xlog_segment_size, &end, err)) {
        return false;
    }
    if (seg.tli != end.tli || wal_seg_cmp(seg, end) > 0) {
        return bad_wal_name(b, b->end_wal, err);
    }
    do {
        wal_seg_name(seg, b->xlog_segment_size, name);
        if (strcmp(name, newest) > 0) {
            break;
        }
        if (!repo_wal_path(r, name, path, err)) {
            return false;
        }
        if (file_kind(path, NULL) == FILE_NONE) {
            *waits = wal_find(r, name, WAL_WHOLE, &found, &ignored);
            str_copy(missing, WAL_FILE_NAME_CAP, *waits ? "" : name);
            break;
        }
    } while (wal_seg_cmp(seg, end) < 0 && wal_seg_next(seg, b->xlog_segment_size, &seg));
    return true;
}

bool check_backup_wals(const struct repo *r, const struct backup *b, enum backup_status *now,
                       char missing[WAL_FILE_NAME_CAP], struct err *err)
{
    char newest[WAL_FILE_NAME_CAP];
    pg_tli tli;
    bool waits;

    missing[0] = '\0';
    *now = b->status;
    if (!b->begin_wal || !b->end_wal) {
        return true;
    }
    if (wal_name_kind(str_of(b->begin_wal), WAL_CASE_UPPER) != WAL_NAME_SEGMENT ||
        !wal_name_tli(str_of(b->begin_wal), &tli)) {
        return bad_wal_name(b, b->begin_wal, err);
    }
    if (!wal_newest(r, tli, newest, err)) {
        return false;
    }
    if (!newest[0] || strcmp(newest, b->begin_wal) < 0) {
        *now = BACKUP_WAITING_FOR_WALS;
        return true;
    }
    if (!first_missing(r, b, newest, missing, &waits, err)) {
        return false;
    }
    if (missing[0]) {
        *now = BACKUP_FAILED;
    } else {
        *now =
            !waits && strcmp(b->end_wal, newest) <= 0 ? BACKUP_DONE : BACKUP_WAITING_FOR_WALS;
    }
    return true;
}

static bool check_locked(const struct task *t, const struct repo *r, const char *id,
                         enum backup_status *now, struct err *err)
{
    char missing[WAL_FILE_NAME_CAP], why[128];
    struct backup b;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = backup_info_load(r, &a, id, &b, err);
    if (ok && !backup_copy_done(&b)) {
        *now = b.status;
        if (b.status == BACKUP_FAILED) {
            task_say(t, SAY_ERROR, "The validity of a failed backup cannot be checked");
        }
        arena_release(&a);
        return true;
    }
    ok = ok && check_backup_wals(r, &b, now, missing, err);
    if (ok && *now != b.status) {
        if (*now == BACKUP_FAILED) {
            str_fmt(why, sizeof why,
                    "At least one WAL file is missing. The first missing WAL file is %s",
                    missing);
            b.error = why;
        }
        task_say(t, SAY_LOG, "backup %s of server %s changed from %s to %s", id, r->server,
                 backup_status_name(b.status), backup_status_name(*now));
        b.status = *now;
        ok = backup_info_save(r, &b, err);
        if (ok && *now == BACKUP_FAILED) {
            task_say(t, SAY_ERROR,
                     "This backup has been marked as FAILED due to the following reason: %s",
                     why);
        }
    }
    arena_release(&a);
    return ok;
}

bool check_backup(const struct task *t, const struct repo *r, const char *id,
                  enum backup_status *now, struct err *err)
{
    struct lock lock;
    bool ok;

    if (!lock_take(&lock, r, id, LOCK_TRY, err)) {
        return false;
    }
    ok = check_locked(t, r, id, now, err);
    lock_release(&lock);
    return ok;
}
