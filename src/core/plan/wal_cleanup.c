/* SPDX-License-Identifier: PostgreSQL */
#include "plan/wal_cleanup.h"

#include "barkeep/str.h"
#include "plan/backup.h"
#include "wal/seg.h"

#include <string.h>

#define TLI_LEN 8 /* digits of a name before the place */

static bool remains(const struct backup *b)
{
    return b->status != BACKUP_EMPTY && b->status != BACKUP_FAILED;
}

static enum keep keep_of(const struct wal_cleanup_ask *ask, size_t i)
{
    return ask->keep ? ask->keep[i] : KEEP_NONE;
}

static enum wal_role role_of(const struct wal_cleanup_ask *ask, size_t i)
{
    if (ask->role) {
        return ask->role[i];
    }
    return keep_of(ask, i) == KEEP_STANDALONE ? WAL_ROLE_OWN : WAL_ROLE_ALL;
}

void wal_cleanup_roles(const struct retention *policy, const struct retention_fate *fate,
                       const enum keep *keep, size_t n, enum wal_role *role)
{
    bool window = policy && policy->kind == RETENTION_WINDOW;

    for (size_t i = 0; i < n; i++) {
        role[i] = keep[i] == KEEP_STANDALONE && !(window && fate[i].inside) ? WAL_ROLE_OWN
                                                                            : WAL_ROLE_ALL;
    }
}

static bool is_segment(const char *name)
{
    return name && wal_name_kind(str_of(name), WAL_CASE_EITHER) == WAL_NAME_SEGMENT;
}

/* Of a backup whose begin_wal is a name. Without an end it is still being made. */
static struct wal_need need_of(const struct backup *b, enum wal_role role)
{
    struct wal_need need = {b->timeline, b->begin_wal, NULL};

    if (!need.tli) {
        (void)wal_name_tli(str_of(b->begin_wal), &need.tli);
    }
    if (role == WAL_ROLE_OWN && is_segment(b->end_wal)) {
        need.end = b->end_wal;
    }
    return need;
}

/* limit: the backup before whose begin everything may go. gone: the id of a backup that does
 * not count any more; NULL: all count. */
static bool decide(struct arena *a, const struct wal_cleanup_ask *ask, const char *gone,
                   const struct backup *limit, struct wal_cleanup *out)
{
    pg_tli *keep = ARENA_ARRAY(a, ask->n + 1, pg_tli);
    struct wal_need *need = ARENA_ARRAY(a, ask->n + 1, struct wal_need);
    struct wal_cleanup c = {.applies = true, .keep_tli = keep, .need = need};

    if (!keep || !need) {
        return false;
    }
    if (is_segment(limit->begin_wal)) {
        str_copy(c.until, sizeof c.until, limit->begin_wal);
    }
    for (size_t i = 0; i < ask->n; i++) {
        const struct backup *b = &ask->backup[i];

        if (!remains(b) || (gone && strcmp(b->id, gone) == 0)) {
            continue;
        }
        if (b->timeline && b->timeline != limit->timeline) {
            keep[c.keep_tlis++] = b->timeline;
        }
        if (is_segment(b->begin_wal)) {
            need[c.needs++] = need_of(b, role_of(ask, i));
        }
    }
    *out = c;
    return true;
}

/* Does an older backup want the WAL behind it? */
static bool is_wanted_behind(const struct wal_cleanup_ask *ask, size_t i, enum wal_delete by)
{
    return backup_copy_done(&ask->backup[i]) &&
           (by == WAL_DELETE_BY_HAND || role_of(ask, i) == WAL_ROLE_ALL);
}

bool wal_cleanup_delete(struct arena *a, const struct wal_cleanup_ask *ask,
                        const char *deleted_id, enum wal_delete by, struct wal_cleanup *out,
                        struct err *err)
{
    const struct backup *limit = NULL, *next = NULL;

    *out = (struct wal_cleanup){.applies = false};
    for (size_t i = 0; i < ask->n; i++) {
        const struct backup *b = &ask->backup[i];
        int order = strcmp(b->id, deleted_id);

        if (order < 0 && is_wanted_behind(ask, i, by)) {
            return true; /* its recovery runs through this WAL */
        }
        if (order == 0) {
            limit = b;
        }
        if (order > 0 && backup_copy_done(b) && !next) {
            next = b;
        }
    }
    limit = next ? next : limit;
    if (!limit) {
        return true;
    }
    return decide(a, ask, deleted_id, limit, out) ? true : arena_err(a, err);
}

bool wal_cleanup_first(struct arena *a, const struct wal_cleanup_ask *ask,
                       const struct backup *first, struct wal_cleanup *out, struct err *err)
{
    *out = (struct wal_cleanup){.applies = false};
    for (size_t i = 0; i < ask->n; i++) {
        if (strcmp(ask->backup[i].id, first->id) != 0 && remains(&ask->backup[i])) {
            return true;
        }
    }
    return decide(a, ask, NULL, first, out) ? true : arena_err(a, err);
}

bool wal_cleanup_horizon(struct arena *a, const struct wal_cleanup_ask *ask, size_t anchor,
                         struct wal_cleanup *out, struct err *err)
{
    enum wal_role *role = ARENA_ARRAY(a, ask->n + 1, enum wal_role);
    struct wal_cleanup_ask old = *ask;

    *out = (struct wal_cleanup){.applies = false};
    if (!role) {
        return arena_err(a, err);
    }
    for (size_t i = 0; i < ask->n; i++) {
        role[i] =
            i < anchor && backup_copy_done(&ask->backup[i]) && keep_of(ask, i) != KEEP_FULL
                ? WAL_ROLE_OWN
                : WAL_ROLE_ALL;
    }
    old.role = role;
    if (!decide(a, &old, NULL, &ask->backup[anchor], out)) {
        return arena_err(a, err);
    }
    out->keep_tlis = 0; /* each backup's need says it closer */
    return true;
}

static bool is_needed(const struct wal_need *need, const char *name, pg_tli tli)
{
    if (need->end) {
        return strncmp(name, need->begin, WAL_NAME_LEN) >= 0 &&
               strncmp(name, need->end, WAL_NAME_LEN) <= 0;
    }
    return tli >= need->tli &&
           strncmp(name + TLI_LEN, need->begin + TLI_LEN, WAL_NAME_LEN - TLI_LEN) >= 0;
}

bool wal_cleanup_removes(const struct wal_cleanup *c, const char *name)
{
    enum wal_name_kind kind = wal_name_kind(str_of(name), WAL_CASE_EITHER);
    pg_tli tli;

    if (!c->applies || !c->until[0] || kind == WAL_NAME_OTHER || kind == WAL_NAME_HISTORY ||
        !wal_name_tli(str_of(name), &tli) || strncmp(name, c->until, WAL_NAME_LEN) >= 0) {
        return false;
    }
    for (size_t i = 0; i < c->keep_tlis; i++) {
        if (c->keep_tli[i] == tli) {
            return false;
        }
    }
    for (size_t i = 0; i < c->needs; i++) {
        if (is_needed(&c->need[i], name, tli)) {
            return false;
        }
    }
    return true;
}
