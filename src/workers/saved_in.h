/* SPDX-License-Identifier: PostgreSQL */
/* saved_in.h - the lines of the file of what was seen, and their keys: tables (saved_fields.c)
 * that saved.c writes and reads by. */
#ifndef WORKERS_SAVED_IN_H
#define WORKERS_SAVED_IN_H

#include "base/field.h"
#include "saved.h"

enum row_kind {
    ROW_SERVER,
    ROW_LIVE,
    ROW_BACKUP,
    ROW_COVERAGE,
    ROW_STRETCH,
    ROW_HOLE,
    ROW_LINE,
    ROW_KINDS
};

struct kind { /* a line */
    const char *word;
    const struct field *field;
    size_t fields;
    size_t size, max; /* of a row; how many of them */
};
extern const struct kind saved_kinds[ROW_KINDS];

#endif
