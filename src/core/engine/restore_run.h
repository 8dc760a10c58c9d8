/* SPDX-License-Identifier: PostgreSQL */
/* restore_run.h - one restore while it is planned and carried out; only for engine/restore*.c.
 *
 *     restore_gather()   reads the repository and the destinations, writes nothing
 *     restore_judge()    (plan/restore.h) decides
 *     restore_copy..()   carry it out, in the order restore.h tells
 *
 * Ownership  Everything lives in the arena but what restore_run_release() gives back.
 */
#ifndef ENGINE_RESTORE_RUN_H
#define ENGINE_RESTORE_RUN_H

#include "engine/kept_tree.h"
#include "engine/restore.h"
#include "engine/restore_conf.h"
#include "plan/restore.h"
#include "repo/catalogue.h"
#include "repo/copy.h"
#include "repo/sync.h"
#include "repo/wal_store.h"

#define RESTORE_MARKER      ".barkeep-restore"
#define RESTORE_VOLUMES_MAX 16

struct restore_run {
    const struct task *task;
    struct arena *a;
    const struct restore_request *req;
    struct repo repo;
    struct target target;
    enum wal_mode mode;
    const struct backup *backup;
    const char *choice;
    uint32_t seg_size;

    struct timelines lines;
    const char **history_file; /* names of all history files kept */
    size_t history_files;
    pg_tli line;
    const struct history *route;
    struct wal_evidence wal;
    struct wal_seg *copy; /* WAL that is copied, in order */
    size_t copies;

    struct kept_tree tree;
    struct restore_place *place; /* as plan/restore.h orders them */
    size_t places;
    struct restore_volume volume[RESTORE_VOLUMES_MAX];
    size_t volumes;
    struct restore_checks checks;

    const char *dest, *wal_dest; /* wal_dest NULL: nothing is copied */
    const char *marker;          /* text of the marker */
    bool resume;
    bool root_without_owner;
    struct copy_rules rules;
    mode_t dir_mode, file_mode; /* of what we write ourselves */
    struct sync sync;
    struct tree_feed *feed;
    struct conf_report report;
    const char *missing[4];
    size_t missing_n;
};

/* The facts and the checks; false only when they cannot be had. */
MUST_CHECK bool restore_gather(struct restore_run *r, struct err *err);
void restore_run_release(struct restore_run *r);

/* restore_lines.c: histories and segments kept, and the walk over them. */
MUST_CHECK bool restore_load_lines(struct restore_run *r, struct err *err);
MUST_CHECK bool restore_walk(struct restore_run *r, struct err *err);
MUST_CHECK bool restore_list_wal(struct restore_run *r, struct err *err);

/* restore_place.c: destinations, space, owner. */
MUST_CHECK bool restore_look_at_places(struct restore_run *r, struct err *err);

/* restore_copy.c: marker, files, WAL, and the end. */
MUST_CHECK bool restore_copy_begin(struct restore_run *r, struct err *err);
MUST_CHECK bool restore_copy_tree(struct restore_run *r, struct err *err);
MUST_CHECK bool restore_copy_wal(struct restore_run *r, struct err *err);
MUST_CHECK bool restore_copy_end(struct restore_run *r, struct err *err);

/* restore_settings.c: the configuration in the destination. */
MUST_CHECK bool restore_write_settings(struct restore_run *r, struct err *err);

/* A small file of our own below dest, with the cluster's mode and owner, durable. */
MUST_CHECK bool restore_put(const struct restore_run *r, const char *rel, struct str bytes,
                            mode_t mode, struct err *err);

#endif
