/* SPDX-License-Identifier: PostgreSQL */
#include "barkeep/arena.h"

#include "bug.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN  ((size_t)4096)
#define BLOCK_MAX  ((size_t)1024 * 1024)
#define ALIGN_MASK (alignof(max_align_t) - 1)

struct arena_block {
    struct arena_block *below;
    size_t cap;
    size_t at;
    alignas(max_align_t) char mem[];
};

static _Thread_local long fail_after; /* tests only, see arena_fail_after() */

void arena_fail_after(long n)
{
    fail_after = n;
}

static bool growth_fails(void)
{
    return fail_after > 0 && --fail_after == 0;
}

void arena_init(struct arena *a, size_t max)
{
    *a = (struct arena){.max = max};
}

void arena_release(struct arena *a)
{
    while (a->top) {
        struct arena_block *below = a->top->below;
        free(a->top);
        a->top = below;
    }
    a->used = 0;
}

static bool grow(struct arena *a, size_t size)
{
    size_t cap = a->top ? a->top->cap * 2 : BLOCK_MIN;
    struct arena_block *b;

    if (cap > BLOCK_MAX) {
        cap = BLOCK_MAX;
    }
    if (cap < size) {
        cap = size;
    }
    if (growth_fails()) {
        return false;
    }
    b = malloc(sizeof *b + cap);
    if (!b) {
        return false;
    }
    b->below = a->top;
    b->cap = cap;
    b->at = 0;
    a->top = b;
    return true;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t need;
    void *p;

    if (size > SIZE_MAX / 2 ||
        (a->max && size > a->max - (a->used < a->max ? a->used : a->max))) {
        a->failed = true;
        return NULL;
    }
    need = (size + ALIGN_MASK) & ~(size_t)ALIGN_MASK;
    if ((!a->top || a->top->cap - a->top->at < need) && !grow(a, need)) {
        a->failed = true;
        return NULL;
    }
    p = a->top->mem + a->top->at;
    a->top->at += need;
    a->used += size;
    return memset(p, 0, need);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size) {
        a->failed = true;
        return NULL;
    }
    return arena_alloc(a, n * size);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *p = arena_alloc(a, n + 1);

    if (p && n) {
        memcpy(p, s, n);
    }
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_vfmt(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    char *p;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    BUG_IF(n < 0);
    p = arena_alloc(a, (size_t)n + 1);
    if (p) {
        vsnprintf(p, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    return p;
}

char *arena_fmt(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    char *p;

    va_start(ap, fmt);
    p = arena_vfmt(a, fmt, ap);
    va_end(ap);
    return p;
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){a->top, a->top ? a->top->at : 0, a->used};
}

void arena_reset(struct arena *a, struct arena_mark mark)
{
    while (a->top != mark.top) {
        struct arena_block *below;

        BUG_IF(!a->top);
        below = a->top->below;
        free(a->top);
        a->top = below;
    }
    if (a->top) {
        a->top->at = mark.at;
    }
    a->used = mark.used;
}

bool arena_err(const struct arena *a, struct err *err)
{
    if (a->max && a->used >= a->max / 2) {
        return err_set(err, ERR_MEMORY, "", "", "more than %zu bytes of memory would be needed",
                       a->max);
    }
    return err_set(err, ERR_MEMORY, "Free memory on this host, then run the command again.", "",
                   "out of memory");
}
