/* SPDX-License-Identifier: PostgreSQL */
/* retention.h - the grammar of retention_policy: how many backups, or how far back.
 *
 *     REDUNDANCY 2                       the newest two backups
 *     RECOVERY WINDOW OF 4 WEEKS         every moment of the last four weeks
 *
 * Text     Any case, blanks around it, one or more blanks between the words (and a tab or a
 *          line break is a blank: a value may go on in the next line). DAY or DAYS, WEEK or
 *          WEEKS, MONTH or MONTHS, whatever the number. Zero is a number like any other.
 * Printed  Upper case, one blank, always the plural: "RECOVERY WINDOW OF 1 DAYS".
 * Errors   ERR_FORMAT, saying what should have stood there; the text itself is not quoted.
 * Threads  No state, no allocation, never blocks.
 * Source   Barman 3.17's documentation of retention_policy and what it prints.
 */
#ifndef PLAN_RETENTION_H
#define PLAN_RETENTION_H

#include "barkeep/err.h"
#include "barkeep/str.h"

enum retention_kind { RETENTION_REDUNDANCY, RETENTION_WINDOW };
enum retention_unit { RETENTION_DAYS, RETENTION_WEEKS, RETENTION_MONTHS };

struct retention {
    enum retention_kind kind;
    uint32_t n;
    enum retention_unit unit; /* of RETENTION_WINDOW */
};

#define RETENTION_N_MAX 999999u /* longer numbers are a slip of the finger */
#define RETENTION_CAP   40      /* "RECOVERY WINDOW OF 999999 MONTHS" and its NUL */

MUST_CHECK bool retention_parse(struct str text, struct retention *out, struct err *err);

/* Inverse of retention_parse(). Returns out. */
const char *retention_print(const struct retention *r, char out[RETENTION_CAP]);

#endif
