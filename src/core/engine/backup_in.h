/* SPDX-License-Identifier: PostgreSQL */
/* backup_in.h - what the pieces of the verb `backup` share: nobody else includes it.
 *
 *     backup.c           the order of things, the id, backup.info, the end
 *     backup_id.c        an id that never repeats
 *     backup_look.c      may a backup begin at all?
 *     backup_check.c     what check calls critical must be well
 *     backup_copy.c      one attempt: connection -> lane -> tree, and the wait for the disk
 *     backup_ballast.c   room for the last word on a full disk
 *     backup_wal.c       the WAL it needs: taken in, waited for
 *     backup_settings.c  settings and configuration files beside the copy
 */
#ifndef ENGINE_BACKUP_IN_H
#define ENGINE_BACKUP_IN_H

#include "backup.h"
#include "backup_form.h"
#include "base/file.h"
#include "cfg/server.h"
#include "hook.h"
#include "pg/base_backup.h"
#include "pg/facts.h"
#include "repo/catalogue.h"
#include "repo/lock.h"

struct backup_run {
    const struct task *task;
    struct engine_backup *what;
    const struct repo *repo;
    const struct server_cfg *srv;
    struct arena arena; /* of the whole verb */
    struct lock lock;
    struct pg *sql;         /* ordinary connection */
    struct pg *replication; /* NULL once the copy has it */
    int64_t asked_ns;       /* when sql was last used: monotonic */
    int64_t looked_ns;      /* the same of replication */
    struct pg_facts facts;  /* in the arena */
    struct pg_ident ident;
    unsigned mode; /* of the data directory: 0700 or 0750 */
    uint32_t block_size;
    struct backup_form form;
    struct backup b;
    struct hook hook;      /* backup scripts */
    const char *action;    /* what Barman would call what is being done */
    char dir[PATH_CAP];    /* base/<id> */
    int ballast;           /* descriptor of some blocks to be freed when the disk is full; -1 */
    bool is_first;         /* no complete backup was there */
    uint64_t bytes;        /* written */
    char corrupt_why[256]; /* the server found damaged pages: what it said at the end; or "" */
    uint64_t corrupt_files;
    int64_t began_ns; /* the copy: monotonic */
    int64_t copied_ns;
};

/* Fills b.id, dir and is_first. Local time, but always after the newest id. */
MUST_CHECK bool backup_choose_id(struct backup_run *r, struct err *err);

MUST_CHECK bool backup_look(struct backup_run *r, struct err *err);
MUST_CHECK bool backup_check(struct backup_run *r, struct err *err);
/* What did not rest for long is used again; a new one where there is none or it did: what lies
 * between may have forgotten it. Each costs a server a process. */
MUST_CHECK bool backup_sql_open(struct backup_run *r, struct err *err);
MUST_CHECK struct pg *backup_replication_take(struct backup_run *r, struct err *err);
/* While the copy runs: a connection that will not be used again holds no place on the server. */
void backup_sql_rests(struct backup_run *r);

/* b.begin_* and the line about it are known when the server begins to send: */
MUST_CHECK bool backup_began(struct backup_run *r, pg_lsn lsn, pg_tli tli, struct err *err);
/* What it sends: the tablespaces of b. Those that were read before may be others. */
MUST_CHECK bool backup_sends(struct backup_run *r, const struct base_backup_archive *list,
                             size_t n, struct err *err);
MUST_CHECK bool backup_copy(struct backup_run *r, struct err *err);

/* Blocks that are given back when there must be room to say what failed. */
void backup_take_ballast(struct backup_run *r);
void backup_drop_ballast(struct backup_run *r);

/* What has arrived by now. WAL that cannot be archived leaves a complete copy that waits for it:
 * a warning. Wait: until the backup is DONE, as long as wait_timeout_s. */
MUST_CHECK bool backup_bring_wal(struct backup_run *r, struct err *err);
MUST_CHECK bool backup_wait_wal(struct backup_run *r, struct err *err);

/* WAL a standby waits for comes from its primary. Checkpoints: also where nothing was written. */
enum primary_how { PRIMARY_SWITCHES, PRIMARY_CHECKPOINTS };
MUST_CHECK bool backup_switch_primary(struct backup_run *r, enum primary_how how,
                                      struct err *err);
MUST_CHECK bool backup_nap(const struct backup_run *r, int ms, struct err *err);

/* facts.included_file anew; as they are where the server does not tell. */
MUST_CHECK bool backup_files_read(struct backup_run *r, struct err *err);
MUST_CHECK bool backup_settings_save(struct backup_run *r, struct err *err);

#endif
