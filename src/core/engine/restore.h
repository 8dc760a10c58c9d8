/* SPDX-License-Identifier: PostgreSQL */
/* restore.h - the verb restore (recover): a backup and its WAL into a new cluster.
 *
 * Works without any server: the repository is all it reads. The plan (plan/restore.h) is made
 * whole first; unless it holds, nothing is written. Then
 *
 *     marker  ->  files, side by side, verified against the backup_manifest  ->  WAL  ->
 *     configuration  ->  syncfs of every file system  ->  backup_label and signal files  ->
 *     pg_control  ->  marker away
 *
 * each arrow a point where everything before it is durable. Without pg_control a cluster cannot
 * be started, so a restore that died cannot be mistaken for a finished one; the same command
 * given again finds its marker (.barkeep-restore) and goes on, rechecking what is there.
 *
 * In place, what is there is renamed beside first, never deleted (restore_in_place.c).
 *
 * Output  Barman's lines through task_say(); --dry-run prints the checks and the verdict.
 * Errors  ERR_UNSAFE for a plan that does not hold (its first refusal); ERR_FORMAT names a
 *         file whose checksum is not the manifest's.
 */
#ifndef ENGINE_RESTORE_H
#define ENGINE_RESTORE_H

#include "barkeep/arena.h"
#include "barkeep/task.h"
#include "plan/restore_target.h"

struct config;
struct server_cfg;
struct restore_check; /* plan/restore.h */

enum choice { CHOICE_CONFIG, CHOICE_YES, CHOICE_NO }; /* an option with a configured default */

struct relocation { /* --tablespace NAME:LOCATION */
    const char *name, *location;
};

struct restore_request {
    const struct config *config;
    const struct server_cfg *server;
    const char *program;     /* absolute path of the running binary, for restore_command */
    const char *config_path; /* the configuration in use, or NULL for the default search */
    const char *backup_id;   /* id, name, latest, ... or auto */
    const char *destination;
    struct target_words target;
    const struct relocation *relocation;
    size_t relocations;
    enum choice get_wal;
    bool standby_mode;
    const char *staging_wal_directory;  /* NULL: <destination>/barman_wal */
    const char *recovery_conf_filename; /* NULL: postgresql.auto.conf */
    const char *recovery_option_port;   /* told to recovery scripts, not used; NULL */
    unsigned jobs;                      /* 0: configured, and 2 when that is not set */
    uint32_t bwlimit_kib;               /* most KiB a second; 0: any */
    bool accept_corruption; /* also a backup in which the server found damaged pages */
    bool dry_run;
    bool in_place;     /* destination is the original's data directory: set it aside first */
    bool report_apart; /* the caller shows what the result says of the configuration */
    bool is_silent;    /* with dry_run: the plan is only in the result, no line of it is said */
};

struct conf_finding { /* a line of the configuration that was changed, or that needs a look */
    const char *file; /* relative to PGDATA */
    unsigned line;    /* from 1 */
    const char *key, *value;
};

struct restore_result {
    char backup_id[BACKUP_ID_CAP];
    const struct conf_finding *change;
    size_t changes;
    const struct conf_finding *warning;
    size_t warnings;
    const char *const *missing_file; /* configuration files the backup does not have */
    size_t missing_files;
    bool get_wal; /* the server fetches its WAL itself */
    struct stamp begin;
    int64_t took_ns;
    bool holds;                        /* the plan; with dry_run this is the answer */
    const struct restore_check *check; /* what it rests on, in order */
    size_t checks;
    pg_tli tli;        /* recovery ends on; 0: none */
    uint64_t bytes;    /* to copy, WAL included */
    uint64_t segments; /* of WAL that recovery needs */
    int64_t replay_from_us,
        replay_to_us;             /* end of the backup, last commit that stays; 0: none */
    int version;                  /* of the server, as 150004 */
    const char *conf, *auto_conf; /* kept configuration files; NULL: not there as files */
};

/* dry_run: true when the plan could be made, whatever its verdict (out->holds). */
MUST_CHECK bool engine_restore(const struct task *task, struct arena *a,
                               const struct restore_request *request,
                               struct restore_result *out, struct err *err);

#endif
