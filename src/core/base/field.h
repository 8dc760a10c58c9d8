/* SPDX-License-Identifier: PostgreSQL */
/* field.h - members of a struct by a table, for what writes and reads one as text.
 *
 *     static const struct field fields[] = {{"port", FIELD_U32, offsetof(struct x, port), 65535}};
 *
 * Shapes   `at` is the member's place in the struct, `most` the largest value of a number (0: what
 *          its type holds) or the room of FIELD_CHARS with its NUL.
 * Numbers  Decimal, and 0 is "nothing to say": field_number() gives "" then. How texts are told
 *          apart and escaped is the business of the format.
 */
#ifndef BASE_FIELD_H
#define BASE_FIELD_H

#include "barkeep/str.h"
#include "base/fmt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_kind {
    FIELD_TEXT,    /* const char * */
    FIELD_CHARS,   /* char[most] */
    FIELD_BOOL,    /* 1 */
    FIELD_ENUM,    /* 0 .. most; an enum or int32_t */
    FIELD_I32,     /* int, int32_t */
    FIELD_U32,     /* unsigned, uint32_t */
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

/* A number in decimal; "" when it is 0. Not of texts. */
const char *field_number(const struct field *f, const void *row, char out[FMT_CAP]);

/* The inverse, into row; false: no number, or one that cannot be. Then row is as it was. */
bool field_take_number(const struct field *f, struct str text, void *row);

#endif
