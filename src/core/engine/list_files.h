/* SPDX-License-Identifier: PostgreSQL */
/* list_files.h - the verb list-files: absolute paths of what a backup consists of.
 *
 *     data        every file below base/<id>, directory by directory, names sorted
 *     standalone  data, and the segments from begin_wal to end_wal, whether they are there or not
 *     wal         segments of the list from begin_wal to the next backup's end_wal, and every
 *                 history file
 *     full        data and wal
 *
 * Errors  ERR_MISSING when the backup does not know its WAL, ERR_IO.
 * Source  Barman 3.17, list-files.
 */
#ifndef ENGINE_LIST_FILES_H
#define ENGINE_LIST_FILES_H

#include "barkeep/task.h"
#include "repo/catalogue.h"

enum list_files_of {
    LIST_DATA = 1,       /* or-ed */
    LIST_NEEDED_WAL = 2, /* of standalone */
    LIST_WAL = 4,
    LIST_EMPTY_DIRS = 8, /* directories without an entry, too */
};

struct list_files {
    const struct repo *repo;
    const struct catalogue *catalogue;
    const struct backup *backup;
    unsigned what;
    void *ctx;
    void (*put)(void *ctx, const char *path);
};

/* "standalone", "data", "wal", "full" */
unsigned list_files_what(const char *target);

MUST_CHECK bool list_files(const struct task *t, const struct list_files *l, struct err *err);

#endif
