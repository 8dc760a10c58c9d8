/* SPDX-License-Identifier: PostgreSQL */
/* status.h - the verb status: what a server and its repository are like, row by row.
 *
 *     key            for JSON           "pg_version"
 *     label          for the console    "PostgreSQL version"
 *     value          text, as Barman's  "15.20"
 *
 * A server that does not answer is a row, not a failure. Everything lives in the arena.
 */
#ifndef ENGINE_STATUS_H
#define ENGINE_STATUS_H

#include "barkeep/task.h"
#include "engine/repo_of.h"

struct status_row {
    const char *key, *label, *value;
};

#define STATUS_ROWS_MAX 32

struct status {
    struct status_row row[STATUS_ROWS_MAX];
    size_t n;
};

MUST_CHECK bool status_read(const struct task *t, const struct repo *r,
                            const struct server_cfg *srv, struct arena *a, struct status *out,
                            struct err *err);

#endif
