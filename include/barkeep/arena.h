/* SPDX-License-Identifier: PostgreSQL */
/* arena.h - memory that is given back all at once.
 *
 *     process    configuration, tables                       main to exit
 *     snapshot   what a view shows of one server             until the next snapshot
 *     job        file lists, plan, buffers of one job        begin to end of the job
 *     scratch    one turn of an endless loop or of a walk    mark, work, reset
 *
 * Ownership  Nothing inside an arena is freed or resized by hand; nothing the kernel or a
 *            library owns (descriptor, connection) is kept only there.
 * Errors     A growth that fails sets the arena's `failed` flag and returns NULL; callers hand
 *            that up as ERR_MEMORY by arena_err(). An arena also has a maximum, for what is fed
 *            from outside; passing it fails in the same way.
 * Threads    One arena belongs to one thread at a time.
 */
#ifndef BARKEEP_ARENA_H
#define BARKEEP_ARENA_H

#include "err.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
    struct arena_block *top;
    size_t used; /* bytes handed out since the last reset */
    size_t max;  /* most bytes it may hand out; 0: no limit of its own */
    bool failed; /* some growth was refused since init */
};

struct arena_mark {
    struct arena_block *top;
    size_t at;
    size_t used;
};

void arena_init(struct arena *a, size_t max);
void arena_release(struct arena *a); /* everything gone; reusable after arena_init() */

/* Zeroed, aligned for any type; NULL when refused. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_array(struct arena *a, size_t n, size_t size); /* n*size checked for overflow */

char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n); /* exactly n bytes + NUL */
char *arena_fmt(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vfmt(struct arena *a, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Scratch use: everything taken after the mark is given back by the reset. */
struct arena_mark arena_mark(const struct arena *a);
void arena_reset(struct arena *a, struct arena_mark mark);

/* Fills ERR_MEMORY; returns false. */
bool arena_err(const struct arena *a, struct err *err);

#define ARENA_NEW(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, n, type) ((type *)arena_array((a), (n), sizeof(type)))

/* For tests: the n-th growth from now on fails (torture). 0 turns it off. */
void arena_fail_after(long n);

#endif
