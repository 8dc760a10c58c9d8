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

#include "engine/hook.h"
#include "engine/kept_tree.h"
#include "engine/kept_wal.h"
#include "engine/restore.h"
#include "engine/restore_conf.h"
#include "plan/restore.h"
#include "repo/catalogue.h"
#include "repo/copy.h"
#include "repo/corrupt.h"
#include "repo/sync.h"
#include "repo/wal_store.h"

#define RESTORE_MARKER      ".barkeep-restore"
#define RESTORE_VOLUMES_MAX 16

struct restore_run {
    const struct task *task;
    struct arena *a;
    const struct restore_request *req;
    struct repo repo;
    struct lock lock; /* of the backup, shared: while it is copied nobody deletes it */
    struct target target;
    enum wal_mode mode;
    const struct backup *backup;
    const char *choice;
    const char *full;       /* id of the newest full backup before it; NULL: none */
    struct corrupt corrupt; /* what the server found when the backup was taken */
    uint32_t seg_size;

    struct kept_wal kept;
    pg_tli line;
    const struct history *route;
    struct wal_evidence wal;
    struct wal_seg *copy; /* WAL that is copied, in order */
    size_t copies;

    struct kept_tree tree;
    struct restore_place *place; /* as plan/restore.h orders them */
    size_t places;
    struct restore_made *made; /* of the WAL that is replayed */
    size_t mades, made_cap;
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
    struct restore_pace *pace; /* NULL: as fast as it goes */
    struct str label, control; /* of a backup stored as archives: kept for the end */
    bool saw_group_access;
    struct conf_report report;
    const char *missing[4];
    size_t missing_n;
    struct restore_move *move; /* in place: what is set aside */
    size_t moves;
    struct hook hook;
    bool hooked; /* its scripts before were run: those after are too */
};

struct restore_move {
    const char *from, *to;
    bool is_done;
};

/* The facts and the checks; false only when they cannot be had. */
MUST_CHECK bool restore_gather(struct restore_run *r, struct err *err);
void restore_run_release(struct restore_run *r);

/* Can a cluster be made of it? The judge says why not. */
bool restore_is_whole(const struct backup *b);
bool restore_may_use(const struct restore_run *r);
/* How the server gets its WAL. */
enum wal_mode restore_mode_of(const struct server_cfg *srv, enum choice get_wal,
                              const struct target *target);

/* restore_lines.c: histories and segments kept, and the walk over them. */
MUST_CHECK bool restore_load_lines(struct restore_run *r, struct err *err);
MUST_CHECK bool restore_walk(struct restore_run *r, struct err *err);
MUST_CHECK bool restore_list_wal(struct restore_run *r, struct err *err);

/* restore_place.c: destinations, space, owner. */
MUST_CHECK bool restore_look_at_places(struct restore_run *r, struct err *err);

/* The path with links resolved as far as it exists. */
MUST_CHECK bool restore_resolve(struct arena *a, const char *path, const char **out,
                                struct err *err);
/* A live process in its postmaster.pid; p->found tells which. */
bool restore_place_runs(struct restore_run *r, struct restore_place *p);

/* restore_in_place.c: what stands in the original's place is renamed aside. Look: after the
 * places were looked at. Set aside: does it, durably. End: the way back stays only in words. */
MUST_CHECK bool restore_in_place_look(struct restore_run *r, struct err *err);
MUST_CHECK bool restore_set_aside(struct restore_run *r, struct err *err);
void restore_say_way_back(const struct restore_run *r);
MUST_CHECK bool restore_in_place_end(struct restore_run *r, struct err *err);

/* restore_copy.c: marker, files, WAL, and the end. */
MUST_CHECK bool restore_copy_begin(struct restore_run *r, struct err *err);
MUST_CHECK bool restore_copy_tree(struct restore_run *r, struct err *err);
MUST_CHECK bool restore_copy_wal(struct restore_run *r, struct err *err);
MUST_CHECK bool restore_copy_end(struct restore_run *r, struct err *err);

/* restore_pace.c: told of each piece when it is written, from any thread; waits as long as
 * --bwlimit asks for. */
MUST_CHECK bool restore_pace_begin(struct restore_run *r, struct err *err);
MUST_CHECK bool restore_pace(const struct restore_run *r, uint64_t bytes, struct err *err);

/* restore_unpack.c: the same for a backup that is stored as archives. */
MUST_CHECK bool restore_unpack(struct restore_run *r, struct err *err);
void restore_late_free(struct restore_run *r);

/* restore_again.c: which archives a restore that died has unpacked whole; done[i] of
 * tree.archive, false at first. Keep: when all are unpacked. Forget: at the end. */
MUST_CHECK bool restore_again(struct restore_run *r, bool *done, struct err *err);
MUST_CHECK bool restore_again_keep(struct restore_run *r, struct err *err);
MUST_CHECK bool restore_again_forget(const struct restore_run *r, struct err *err);
unsigned restore_jobs(const struct restore_run *r);

/* restore_settings.c: the configuration in the destination. */
MUST_CHECK bool restore_write_settings(struct restore_run *r, struct err *err);
/* Where the backup has that file of PGDATA, or the copy saved from outside; NULL: nowhere, or in an
 * archive. */
const char *restore_kept_conf(const struct restore_run *r, const char *rel);

/* restore_hook.c: the recovery scripts. */
MUST_CHECK bool restore_hook_before(struct restore_run *r, struct err *err);
void restore_hook_after(struct restore_run *r, bool ok, const struct err *err);

/* A small file of our own below dest, with the cluster's mode and owner, durable. */
MUST_CHECK bool restore_put(const struct restore_run *r, const char *rel, struct str bytes,
                            mode_t mode, struct err *err);

#endif
