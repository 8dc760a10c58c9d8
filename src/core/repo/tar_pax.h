/* SPDX-License-Identifier: PostgreSQL */
/* tar_pax.h - the records of a pax extended header: what did not fit into the ustar header behind
 * it.
 *
 *     30 mtime=1795355034.364561826\n     length of the whole record, blank, key=value, newline
 *
 * Heeded   path, size, mtime. Others (owner, comment, xattrs) are skipped, except GNU.sparse.*,
 *          which would make the data mean something else: refused.
 * Global   A 'g' header may say anything but path, size and mtime.
 * Bounds   A header of more than TAR_PAX_MAX bytes is refused.
 * Source   POSIX.1-2008, "pax Extended Header".
 */
#ifndef REPO_TAR_PAX_H
#define REPO_TAR_PAX_H

#include "barkeep/err.h"
#include "barkeep/str.h"

#include <stdint.h>

#define TAR_NAME_CAP 257 /* prefix 155, slash, name 100, NUL */
#define TAR_PAX_MAX  8192

struct tar_pax {
    char path[TAR_NAME_CAP]; /* "": not given */
    bool has_size, has_mtime;
    uint64_t size;
    int64_t mtime_s;
    uint32_t mtime_ns;
};

/* type: 'x' or 'g'. NULL, or why the text cannot be one. Members that are not given stay as they
 * were. */
const char *tar_pax_read(struct str text, char type, struct tar_pax *out);

#endif
