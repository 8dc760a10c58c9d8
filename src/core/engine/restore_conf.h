/* SPDX-License-Identifier: PostgreSQL */
/* restore_conf.h - the configuration of a restored cluster, as text in and text out.
 *
 * Recovery   the lines that tell PostgreSQL where WAL comes from and where to stop.
 * Mangling   in what the backup brought along, lines that would do harm are put behind
 *            "#BARMAN#": archive_command (a copy must not archive over its original; replaced
 *            by `archive_command = false`), what a recovery runs (archive_cleanup_command
 *            deletes, recovery_end_command takes the original's place) and every old recovery
 *            target. What merely points outside PGDATA is reported and left alone.
 * Quoting    Two layers. A value of a configuration file stands between single quotes, ' and \
 *            doubled. Inside, a command is for the shell after PostgreSQL has replaced %f and
 *            %p: words stand between single quotes again, and % is doubled.
 * Lines      counted from 1.
 * Source     PostgreSQL 15, guc-file.l; Barman 3.17 for what is changed and reported.
 */
#ifndef ENGINE_RESTORE_CONF_H
#define ENGINE_RESTORE_CONF_H

#include "barkeep/str.h"
#include "engine/restore.h"
#include "plan/restore.h"

#define CONF_MARKER   "#BARMAN#"
#define CONF_FILE_MAX ((size_t)16 * 1024 * 1024)

struct conf_recovery {
    const struct target *target;
    enum wal_mode mode;
    pg_tli line; /* where recovery ends; written when the person named none */
    bool standby_mode;
    const char *program, *config_path; /* absolute; config_path may be NULL */
    const char *server, *user;         /* who has to run get-wal */
    const char *staging;               /* WAL_MODE_STAGED */
};

/* ERR_FORMAT when a path holds a newline, which no configuration file can. */
MUST_CHECK bool conf_recovery_text(struct arena *a, const struct conf_recovery *r,
                                   struct str *out, struct err *err);

/* 'it''s' and 'a'\''b'; false: does not fit or cannot be written. */
bool conf_quote(struct sbuf *b, struct str value);
bool shell_quote(struct sbuf *b, struct str word); /* with % doubled */

struct conf_report {
    struct conf_finding *change, *warning;
    size_t changes, warnings, change_cap, warning_cap;
};

/* Where a file of the configuration comes from. Copies that were saved from outside PGDATA name
 * their old places (data_directory, hba_file, ...), which would make the server use those:
 * there they are changed, not just reported. */
enum conf_origin { CONF_OF_PGDATA, CONF_SAVED };

/* file: its name, for the report. */
MUST_CHECK bool conf_mangle(struct arena *a, const char *file, enum conf_origin origin,
                            struct str text, struct conf_report *report, struct str *out,
                            struct err *err);

/* Included files are not changed, and one may set archive_command: the file that is read last
 * gets a line that says no, where the report tells of an include and of no such line there. */
MUST_CHECK bool conf_overrule(struct arena *a, const char *file, struct str text,
                              struct conf_report *report, struct str *out, struct err *err);

#endif
