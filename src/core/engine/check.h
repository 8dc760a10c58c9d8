/* SPDX-License-Identifier: PostgreSQL */
/* check.h - the verb check: is this server ready to be backed up, and was it?
 *
 * One line a question, in Barman's order and with its labels; what looks only after the client
 * programs we do not need ("pg_basebackup", "pg_receivexlog") is OK with the hint "built in".
 *
 * Time     deadline_ns of the task; check_timeout of the caller ends the waiting for servers
 *          that do not answer and adds the line "check timeout: FAILED"; what can be told
 *          without them is told.
 * Writes   Missing directories are made and a missing xlog.db is rebuilt, as Barman does.
 *          Nothing else: where Barman, finding an empty archive, makes the server switch its
 *          WAL (of an inactive server too), this only says so.
 * Server   First the server is asked by conninfo; when that fails the other connections are
 *          not tried. Then come streaming_conninfo, primary_conninfo, and the host of
 *          wal_streaming_conninfo where it is another one.
 * Not had  What the configuration asks for and this version does not do (encryption, codecs,
 *          other backup methods, passive nodes) is a FAILED line, not silence; the text
 *          below "configuration" is what backup and archive-wal will refuse with.
 * Errors   Only what stops the checking itself; a failed check is a line.
 */
#ifndef ENGINE_CHECK_H
#define ENGINE_CHECK_H

#include "barkeep/task.h"
#include "engine/repo_of.h"
#include "pg/facts.h"

enum check_weight {
    CHECK_CRITICAL,
    CHECK_NOT_FOR_BACKUP, /* does not stop a backup when it fails */
};

struct check_line {
    const char *label; /* "replication slot" */
    bool ok;
    const char *hint;        /* NULL: none */
    const char *const *more; /* further lines, NULL: none ("configuration") */
    size_t mores;
    enum check_weight weight;
    int64_t perfdata; /* bytes for Nagios ("backup minimum size", "wal size"); -1: none */
};

#define CHECK_LINES_MAX 64

struct check {
    struct check_line line[CHECK_LINES_MAX];
    size_t n;
};

/* What the caller has just asked over the server's own two connections: not asked again. */
struct check_known {
    struct pg *sql; /* stays the caller's */
    const struct pg_facts *facts;
    const struct pg_ident *ident;
};

struct check_what {
    const struct repo *repo;
    const struct server_cfg *srv;
    int64_t timeout_s;               /* 0: no limit */
    const struct check_known *known; /* NULL: nothing */
};

MUST_CHECK bool check_run(const struct task *t, const struct check_what *what, struct arena *a,
                          struct check *out, struct err *err);

/* Did everything succeed? CHECK_NOT_FOR_BACKUP lines count only for CHECK_ALL. */
enum check_scope { CHECK_ALL, CHECK_FOR_BACKUP };
const struct check_line *check_first_failed(const struct check *c, enum check_scope scope);

#endif
