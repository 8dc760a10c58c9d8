/* SPDX-License-Identifier: PostgreSQL */
/* bounds.h - what the record walk has proven of segments, kept in .barkeep/bounds.
 *
 *     name  size  mtime  from  sound|broken  end  first us lsn xid  last us lsn xid
 *
 * One segment a line, parted by tabs (formats.md). It is a memory, not a source: a line that
 * cannot be one is ignored, and one whose file has another size or time too; then the segment
 * is walked again.
 *
 * Memory   bounds_init() / bounds_release(); at most BOUNDS_MAX, further ones push nothing out
 *          and are refused silently, since they only save work.
 */
#ifndef ENGINE_BOUNDS_H
#define ENGINE_BOUNDS_H

#include "barkeep/str.h"
#include "plan/coverage.h"

#define BOUNDS_MAX      1024
#define BOUNDS_FILE_MAX (BOUNDS_MAX * 512)

struct bounds_line {
    struct coverage_bound bound;
    uint64_t size; /* of the file that was walked */
    int64_t mtime_ns;
    bool is_partial; /* never kept in the file */
};

struct bounds {
    struct bounds_line *line; /* by coverage_bound_cmp() */
    size_t n, cap;
};

void bounds_init(struct bounds *b);
void bounds_release(struct bounds *b);

/* Puts it in its place, over an older one of the same segment and `from`. */
MUST_CHECK bool bounds_put(struct bounds *b, const struct bounds_line *line, struct err *err);
/* Keeps those that keep() wants. */
void bounds_filter(struct bounds *b, bool (*keep)(void *ctx, const struct bounds_line *line),
                   void *ctx);

/* One line without its newline; false: it cannot be one. */
bool bounds_parse_line(struct str line, uint32_t seg_size, struct bounds_line *out);
void bounds_put_line(struct sbuf *b, uint32_t seg_size, const struct bounds_line *line);

#endif
