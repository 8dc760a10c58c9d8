/* SPDX-License-Identifier: PostgreSQL */
#include "plan/wal_cleanup.h"

#include "barkeep/str.h"
#include "wal/seg.h"

#include <string.h>

static bool remains(const struct backup *b)
{
    return b->status != BACKUP_EMPTY && b->status != BACKUP_FAILED;
}

static bool copy_done(const struct backup *b)
{
    return b->status == BACKUP_DONE || b->status == BACKUP_WAITING_FOR_WALS;
}

/* No more than what `b` needs from its begin on, if it stands on the limit's timeline. */
static void hold_back(struct wal_cleanup *c, pg_tli tli, const struct backup *b)
{
    if (b->begin_wal && b->timeline == tli && strcmp(b->begin_wal, c->until) < 0) {
        str_copy(c->until, sizeof c->until, b->begin_wal);
    }
}

/* limit: the backup before whose begin everything may go. gone: the id of a backup that does
 * not count any more; NULL: all count. */
static bool decide(struct arena *a, const struct backup *backup, size_t n, const char *gone,
                   const struct backup *limit, struct wal_cleanup *out)
{
    pg_tli *keep = ARENA_ARRAY(a, n + 1, pg_tli);
    struct wal_cleanup c = {.applies = true, .keep_tli = keep};

    if (!keep) {
        return false;
    }
    if (limit->begin_wal) {
        str_copy(c.until, sizeof c.until, limit->begin_wal);
    }
    for (size_t i = 0; i < n; i++) {
        const struct backup *b = &backup[i];

        if (!remains(b) || (gone && strcmp(b->id, gone) == 0)) {
            continue;
        }
        if (b->timeline && b->timeline != limit->timeline) {
            keep[c.keep_tlis++] = b->timeline;
        }
        hold_back(&c, limit->timeline, b);
    }
    *out = c;
    return true;
}

bool wal_cleanup_delete(struct arena *a, const struct backup *backup, size_t n,
                        const char *deleted_id, struct wal_cleanup *out, struct err *err)
{
    const struct backup *limit = NULL, *next = NULL;

    *out = (struct wal_cleanup){.applies = false};
    for (size_t i = 0; i < n; i++) {
        const struct backup *b = &backup[i];
        int order = strcmp(b->id, deleted_id);

        if (order < 0 && copy_done(b)) {
            return true; /* its recovery runs through this WAL */
        }
        if (order == 0) {
            limit = b;
        }
        if (order > 0 && copy_done(b) && !next) {
            next = b;
        }
    }
    limit = next ? next : limit;
    if (!limit) {
        return true;
    }
    return decide(a, backup, n, deleted_id, limit, out) ? true : arena_err(a, err);
}

bool wal_cleanup_first(struct arena *a, const struct backup *backup, size_t n,
                       const struct backup *first, struct wal_cleanup *out, struct err *err)
{
    *out = (struct wal_cleanup){.applies = false};
    for (size_t i = 0; i < n; i++) {
        if (strcmp(backup[i].id, first->id) != 0 && remains(&backup[i])) {
            return true;
        }
    }
    return decide(a, backup, n, NULL, first, out) ? true : arena_err(a, err);
}

bool wal_cleanup_removes(const struct wal_cleanup *c, const char *name)
{
    enum wal_name_kind kind = wal_name_kind(str_of(name), WAL_CASE_EITHER);
    pg_tli tli;

    if (!c->applies || !c->until[0] || kind == WAL_NAME_OTHER || kind == WAL_NAME_HISTORY ||
        !wal_name_tli(str_of(name), &tli)) {
        return false;
    }
    for (size_t i = 0; i < c->keep_tlis; i++) {
        if (c->keep_tli[i] == tli) {
            return false;
        }
    }
    return strncmp(name, c->until, WAL_NAME_LEN) < 0;
}
