/* SPDX-License-Identifier: PostgreSQL */
#include "plan/backup.h"

#include "barkeep/str.h"

bool backup_copy_done(const struct backup *b)
{
    return b->status == BACKUP_DONE || b->status == BACKUP_WAITING_FOR_WALS;
}

bool backup_counts(const struct backup *b)
{
    return b->status == BACKUP_DONE && backup_type_of(b) != BACKUP_INCREMENTAL;
}

enum backup_type backup_type_of(const struct backup *b)
{
    struct str mode = str_of(b->mode);

    if (str_starts(mode, "snapshot")) {
        return BACKUP_SNAPSHOT;
    }
    if (str_starts(mode, "rsync")) {
        return BACKUP_RSYNC;
    }
    return b->parent_backup_id ? BACKUP_INCREMENTAL : BACKUP_FULL;
}

const char *backup_type_name(enum backup_type type)
{
    static const char *const name[] = {"full", "incremental", "rsync", "snapshot"};

    return name[type];
}
