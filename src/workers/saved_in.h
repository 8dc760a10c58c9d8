/* SPDX-License-Identifier: PostgreSQL */
/* saved_in.h - the lines of the file of what was seen, and their keys: tables (saved_fields.c)
 * that saved.c writes and reads by. */
#ifndef WORKERS_SAVED_IN_H
#define WORKERS_SAVED_IN_H

#include "saved.h"

enum field_kind {
    FIELD_TEXT,    /* const char * */
    FIELD_CHARS,   /* char[most] */
    FIELD_BOOL,    /* 1 */
    FIELD_ENUM,    /* 0 .. most */
    FIELD_I32,     /* int, int32_t */
    FIELD_U32,     /* */
    FIELD_I64,     /* */
    FIELD_U64,     /* uint64_t, size_t */
    FIELD_SECONDS, /* double, as milliseconds */
};

struct field {
    const char *key;
    enum field_kind kind;
    size_t at;
    uint64_t most;
};

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
