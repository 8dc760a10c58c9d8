/* SPDX-License-Identifier: PostgreSQL */
/* nagios.h - check --nagios: all servers in one answer, for the monitoring system.
 *
 *     BARMAN OK - Ready to serve the Espresso backup for 2 servers * a * b|a=1B a_wals=0B ...
 *     BARMAN CRITICAL - server a has issues * a FAILED: ssh, wal_level|...
 *     a.ssh: FAILED (hint)
 *
 * Servers that are inactive do not make it critical: their failures are IGNORED, but listed with
 * the others' once it is. Nothing else is printed.
 *
 * Status  0, or 2 when a check of an active server failed or an error was said.
 * Memory  Everything in the arena; the checks stay where they are until nagios_end().
 * Source  Barman 3.17, its output for Nagios.
 */
#ifndef BATCH_NAGIOS_H
#define BATCH_NAGIOS_H

#include "barkeep/arena.h"
#include "barkeep/str.h"
#include "engine/check.h"

#include <stdio.h>

struct nagios_server {
    const struct nagios_server *next;
    const char *name;
    const struct check *check;
};

struct nagios { /* start with {0} */
    struct nagios_server *first, *last;
};

MUST_CHECK bool nagios_add(struct nagios *n, struct arena *a, const char *server,
                           const struct check *check, struct err *err);

/* What was added, for another process of this program to add: a text that nagios_receive() alone
 * reads. ERR_FORMAT: it is none. */
void nagios_send(const struct nagios *n, FILE *out);
MUST_CHECK bool nagios_receive(struct nagios *n, struct arena *a, struct str text,
                               struct err *err);

/* Print the answer; in_error: an error was said, or a check of an active server failed.
 * Returns the exit status. */
int nagios_end(const struct nagios *n, bool in_error, FILE *out);

#endif
