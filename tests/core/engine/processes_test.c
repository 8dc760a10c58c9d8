/* SPDX-License-Identifier: PostgreSQL */
#include "engine/processes.h"

#include "harness.h"

static const struct row {
    const char *label, *file, *task; /* NULL: none of "main" */
} rows[] = {
    {"receive-wal", ".main-receive-wal.lock", "receive-wal"},
    {"backup", ".main-backup.lock", "backup"},
    {"cron", ".main-cron.lock", "cron"},
    {"archive-wal", ".main-archive-wal.lock", "archive-wal"},
    {"sync-wal", ".main-sync-wal.lock", "sync-wal"},
    {"sync-backup", ".main-20261122T134353-sync-backup.lock", "sync-backup"},
    {"sync-backup of no id", ".main-x-sync-backup.lock", NULL},
    {"sync-backup of an id of letters", ".main-2026112xT134353-sync-backup.lock", NULL},
    {"a backup's own lock", ".main-20261122T134353.lock", NULL},
    {"the list's lock", ".main-xlogdb.lock", NULL},
    {"another server", ".other-cron.lock", NULL},
    {"a server that begins alike", ".main-2-cron.lock", NULL},
    {"a server that is part of it", ".mai-cron.lock", NULL},
    {"of all servers", ".cron.lock", NULL},
    {"no dot in front", "main-cron.lock", NULL},
    {"no .lock behind", ".main-cron", NULL},
    {"more behind", ".main-cron.lock.old", NULL},
    {"empty", "", NULL},
};

static void task_of(void **state)
{
    const struct row *row = *state;
    const char *task = process_task("main", str_of(row->file));

    assert_int_equal(task != NULL, row->task != NULL);
    if (task) {
        assert_string_equal(task, row->task);
    }
}

TEST_MAIN(ROWS(rows, task_of))
