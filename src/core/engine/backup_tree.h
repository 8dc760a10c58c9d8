/* SPDX-License-Identifier: PostgreSQL */
/* backup_tree.h - the far end of a backup's lane: tar stream in, files on the disk, every one
 * summed and held against the manifest.
 *
 *     base/<id>/data/             the base archive; backup_manifest, byte for byte
 *     base/<id>/<oid>/            a tablespace; data/pg_tblspc/<oid> is a link to it
 *     base/<id>/data/pg_tblspc/<oid>/   a tablespace in place
 *
 * Stored as archives (backup_form.h):
 *
 *     base/<id>/data/base.tar.gz, <oid>.tar.gz, backup_manifest;  base/<id>/<oid>/ is empty
 *
 *     base/<id>/.barkeep/         the spool of checksums (an unlinked file)
 *
 * The manifest lies under a temporary name until tree_commit(): a tree without a
 * backup_manifest never was complete.
 *
 * Threads   tree_open() and tree_commit() in the producer, before and after the lane;
 *           everything between in the consumer.
 */
#ifndef ENGINE_BACKUP_TREE_H
#define ENGINE_BACKUP_TREE_H

#include "barkeep/arena.h"
#include "barkeep/task.h"
#include "base/file.h"
#include "engine/backup_form.h"
#include "pg/base_backup.h"
#include "pg/manifest.h"

#define TREE_LABEL_CAP 8192 /* of a backup_label that is kept for backup.info */
#define TREE_BUFS      16   /* messages in one item of the lane */
#define TREE_ODD_MAX   8    /* names kept of files with a size that is not whole pages */

struct tree_spec {
    const char *dir; /* base/<id>: must not exist or be empty */
    enum digest_kind checksums;
    unsigned mode;       /* of data and the tablespaces: 0700 or 0750 */
    uint32_t block_size; /* of the server's pages */
    bool trailers;
    const struct backup_form *form; /* NULL: a plain tree */
    const struct task *task;        /* for a form's workers */
};

struct tree_result {
    uint64_t files;
    uint64_t bytes; /* on the disk, the manifest among them */
    char label[TREE_LABEL_CAP];
    uint64_t odd; /* relation files that are not whole pages: copied as they are */
    char odd_name[TREE_ODD_MAX][MANIFEST_PATH_CAP];
};

struct tree;

/* Makes the directories; whatever is written below is covered by tree_commit(). */
MUST_CHECK struct tree *tree_new(const struct tree_spec *spec, struct err *err);
void tree_free(struct tree *t);

/* A directory for each archive. list must live as long as the tree. */
MUST_CHECK bool tree_archives(struct tree *t, const struct base_backup_archive *list, size_t n,
                              struct err *err);

/* What the lane carries. */
enum tree_item_kind { TREE_ARCHIVE, TREE_MANIFEST, TREE_DATA, TREE_ARCHIVE_END };
struct tree_item {
    enum tree_item_kind kind;
    size_t archive; /* TREE_ARCHIVE: index in the list */
    /* TREE_DATA: freed by consume or drop. Several messages at once, for what an item costs is
     * waking the other thread. */
    struct base_backup_buf buf[TREE_BUFS];
    size_t bufs;
};
bool tree_consume(void *tree, void *item, bool more, struct err *err);
void tree_drop(void *tree, void *item);

/* After the lane is closed: all on the disk, then the manifest under its name. */
MUST_CHECK bool tree_commit(struct tree *t, struct err *err);
const struct tree_result *tree_result(const struct tree *t);
/* The slow way of syncing (sync.h): each file is waited for. */
bool tree_syncs_each(const struct tree *t);

#endif
