/* SPDX-License-Identifier: PostgreSQL */
#include "tar_pax.h"

#include <string.h>

#define SIZE_LIMIT ((uint64_t)1 << 62)

/* Seconds with a fraction of any length; before 1970 is taken for 1970. */
static bool read_time(struct str value, struct tar_pax *out)
{
    bool negative = str_take_char(&value, '-');
    uint64_t whole, digit, ns = 0;

    if (!str_take_u64(&value, SIZE_LIMIT, &whole)) {
        return false;
    }
    if (str_take_char(&value, '.')) {
        uint64_t unit = 100000000;

        for (; value.n; value = str_skip(value, 1), unit /= 10) {
            if (!str_u64(str_n(value.p, 1), 9, &digit)) {
                return false;
            }
            ns += digit * unit;
        }
    }
    out->has_mtime = true;
    out->mtime_s = negative ? 0 : (int64_t)whole;
    out->mtime_ns = negative ? 0 : (uint32_t)ns;
    return value.n == 0;
}

static const char *take(struct str key, struct str value, char type, struct tar_pax *out)
{
    if (str_starts(key, "GNU.sparse.")) {
        return "a sparse file";
    }
    if (!str_eq(key, "path") && !str_eq(key, "size") && !str_eq(key, "mtime")) {
        return NULL;
    }
    if (type == 'g') {
        return "a global header that names a file";
    }
    if (str_eq(key, "path")) {
        if (value.n == 0 || value.n >= sizeof out->path || memchr(value.p, 0, value.n)) {
            return "a name that cannot be one";
        }
        memcpy(out->path, value.p, value.n);
        out->path[value.n] = '\0';
        return NULL;
    }
    if (str_eq(key, "size")) {
        out->has_size = true;
        return str_u64(value, SIZE_LIMIT, &out->size) ? NULL : "a size that cannot be";
    }
    return read_time(value, out) ? NULL : "a time that cannot be";
}

const char *tar_pax_read(struct str text, char type, struct tar_pax *out)
{
    static const char malformed[] = "a malformed pax header";

    while (text.n) {
        struct str record, rest = text, key;
        const char *why;
        uint64_t n;

        if (!str_take_u64(&rest, TAR_PAX_MAX, &n) || !str_take_char(&rest, ' ') || n > text.n ||
            n < text.n - rest.n + 2 || text.p[n - 1] != '\n') {
            return malformed;
        }
        record = str_n(rest.p, (size_t)n - (text.n - rest.n) - 1);
        if (!memchr(record.p, '=', record.n) || !str_split(&record, '=', &key)) {
            return malformed;
        }
        why = take(key, record, type, out);
        if (why) {
            return why;
        }
        text = str_skip(text, (size_t)n);
    }
    return NULL;
}
