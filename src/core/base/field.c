/* SPDX-License-Identifier: PostgreSQL */
#include "base/field.h"

#include <inttypes.h>
#include <string.h>

_Static_assert(sizeof(size_t) == sizeof(uint64_t) && sizeof(enum field_kind) == 4 &&
                   sizeof(unsigned) == sizeof(uint32_t),
               "the kinds of fields");

#define GET(type, p) (*(const type *)(const void *)(p))
#define SET(type, p) (*(type *)(void *)(p))

static bool is_signed(const struct field *f)
{
    return f->kind == FIELD_I32 || f->kind == FIELD_I64;
}

static uint64_t unsigned_of(const struct field *f, const char *p)
{
    switch (f->kind) {
    case FIELD_BOOL:
        return GET(bool, p);
    case FIELD_ENUM:
    case FIELD_U32:
        return GET(uint32_t, p);
    case FIELD_SECONDS:
        return GET(double, p) > 0 && GET(double, p) < 1e12
                   ? (uint64_t)(GET(double, p) * 1000 + 0.5)
                   : 0;
    default:
        return GET(uint64_t, p);
    }
}

const char *field_number(const struct field *f, const void *row, char out[FMT_CAP])
{
    const char *p = (const char *)row + f->at;
    int64_t number = f->kind == FIELD_I32   ? GET(int32_t, p)
                     : f->kind == FIELD_I64 ? GET(int64_t, p)
                                            : 0;
    uint64_t natural = is_signed(f) ? 0 : unsigned_of(f, p);

    out[0] = '\0';
    if (number) {
        (void)str_fmt(out, FMT_CAP, "%" PRId64, number);
    } else if (natural) {
        (void)str_fmt(out, FMT_CAP, "%" PRIu64, natural);
    }
    return out;
}

static bool take_signed(const struct field *f, struct str text, char *p)
{
    int64_t n;

    if (!str_i64(text, &n) || (f->kind == FIELD_I32 && (n < INT32_MIN || n > INT32_MAX))) {
        return false;
    }
    if (f->kind == FIELD_I32) {
        SET(int32_t, p) = (int32_t)n;
    } else {
        SET(int64_t, p) = n;
    }
    return true;
}

static uint64_t most_of(const struct field *f)
{
    switch (f->kind) {
    case FIELD_BOOL:
        return 1;
    case FIELD_ENUM:
        return f->most;
    case FIELD_U32:
        return f->most ? f->most : UINT32_MAX;
    default:
        return f->most ? f->most : UINT64_MAX;
    }
}

bool field_take_number(const struct field *f, struct str text, void *row)
{
    char *p = (char *)row + f->at;
    uint64_t n;

    if (is_signed(f)) {
        return take_signed(f, text, p);
    }
    if (!str_u64(text, most_of(f), &n)) {
        return false;
    }
    switch (f->kind) {
    case FIELD_BOOL:
        SET(bool, p) = n != 0;
        break;
    case FIELD_ENUM:
    case FIELD_U32:
        SET(uint32_t, p) = (uint32_t)n;
        break;
    case FIELD_SECONDS:
        SET(double, p) = (double)n / 1000;
        break;
    default:
        SET(uint64_t, p) = n;
    }
    return true;
}
