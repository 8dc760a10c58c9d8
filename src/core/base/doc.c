/* SPDX-License-Identifier: PostgreSQL */
#include "doc.h"

#include "bug.h"
#include "fmt.h"
#include "log.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum kind { DROPPED, OBJECT, ARRAY, TEXT, INTEGER, REAL, DIGITS, TRUTH, NOTHING };

/* Members hang in a list in the order they are printed in, so nothing is sorted at the end. */
struct doc {
    enum kind kind;
    bool failed;     /* of the top: something was dropped */
    struct doc *top; /* of a top: itself */
    const char *key; /* of a member */
    struct doc *next;
    union {
        struct {
            struct doc *first, *last;
        };
        const char *text;
        int64_t n;
        double x;
        bool yes;
    };
};

/* The top knows where memory comes from. */
struct top {
    struct doc doc;
    struct arena *arena;
};

/* What a refused child is: takes everything and keeps nothing. Never written to. */
static struct doc nowhere = {.kind = DROPPED, .failed = true, .top = &nowhere};

struct doc *doc_new(struct arena *a)
{
    struct top *top = ARENA_NEW(a, struct top);

    if (!top) {
        return &nowhere;
    }
    top->arena = a;
    top->doc.kind = OBJECT;
    top->doc.top = &top->doc;
    return &top->doc;
}

bool doc_failed(const struct doc *top)
{
    return top->top->failed;
}

static struct arena *arena_of(const struct doc *d)
{
    return ((const struct top *)(const void *)d->top)->arena;
}

static struct doc *drop(struct doc *in)
{
    if (in->top != &nowhere) {
        in->top->failed = true;
    }
    return &nowhere;
}

static struct doc *fresh(struct doc *in, const char *key)
{
    struct doc *d = ARENA_NEW(arena_of(in), struct doc);

    if (d) {
        d->kind = NOTHING;
        d->top = in->top;
        d->key = key ? arena_strdup(arena_of(in), key) : NULL;
    }
    return d && (d->key || !key) ? d : NULL;
}

/* The member of that key, made when missing; most are set in rising order. */
static struct doc *member(struct doc *in, const char *key)
{
    struct doc *d, *before = NULL;
    int order = -1;

    if (in->kind == DROPPED) {
        return &nowhere;
    }
    BUG_IF(in->kind != OBJECT);
    if (in->last && strcmp(in->last->key, key) < 0) {
        before = in->last;
    } else {
        for (d = in->first; d && (order = strcmp(d->key, key)) < 0; d = d->next) {
            before = d;
        }
        if (d && order == 0) {
            return d;
        }
    }
    d = fresh(in, key);
    if (!d) {
        return drop(in);
    }
    d->next = before ? before->next : in->first;
    *(before ? &before->next : &in->first) = d;
    if (!d->next) {
        in->last = d;
    }
    return d;
}

static struct doc *item(struct doc *in)
{
    struct doc *d;

    if (in->kind == DROPPED) {
        return &nowhere;
    }
    BUG_IF(in->kind != ARRAY);
    d = fresh(in, NULL);
    if (!d) {
        return drop(in);
    }
    *(in->last ? &in->last->next : &in->first) = d;
    in->last = d;
    return d;
}

/* The member of that key, or without a key the next item. */
static struct doc *place(struct doc *in, const char *key)
{
    return key ? member(in, key) : item(in);
}

static struct doc *contain(struct doc *d, enum kind kind)
{
    if (d->kind != DROPPED && d->kind != kind) {
        d->kind = kind;
        d->first = d->last = NULL;
    }
    return d;
}

struct doc *doc_object(struct doc *in, const char *key)
{
    return contain(place(in, key), OBJECT);
}

struct doc *doc_array(struct doc *in, const char *key)
{
    return contain(place(in, key), ARRAY);
}

struct doc *doc_add_object(struct doc *in)
{
    return doc_object(in, NULL);
}

struct doc *doc_add_array(struct doc *in)
{
    return doc_array(in, NULL);
}

/* copy is already in the arena, or NULL for null. */
static void put_text(struct doc *d, const char *copy)
{
    if (d->kind != DROPPED) {
        d->kind = copy ? TEXT : NOTHING;
        d->text = copy;
    }
}

/* redact() changes only what has one of these; it makes "://u:p@" 2.7 times as long, nothing
 * more. */
static bool may_tell(const char *text)
{
    return strchr(text, '=') || strstr(text, "://");
}

static const char *kept(struct arena *a, const char *text)
{
    size_t cap = 3 * strlen(text) + 64;
    char *copy;

    if (!may_tell(text)) {
        return arena_strdup(a, text);
    }
    copy = arena_alloc(a, cap);
    return copy ? redact(text, copy, cap) : NULL;
}

static void set_text(struct doc *in, struct doc *d, const char *text)
{
    const char *copy;

    if (d->kind == DROPPED) {
        return;
    }
    copy = text ? kept(arena_of(d), text) : NULL;
    if (text && !copy) {
        drop(in);
    }
    put_text(d, copy);
}

void doc_text(struct doc *in, const char *key, const char *text)
{
    set_text(in, place(in, key), text);
}

void doc_add_text(struct doc *in, const char *text)
{
    doc_text(in, NULL, text);
}

void doc_fmt(struct doc *in, const char *key, const char *fmt, ...)
{
    struct doc *d = place(in, key);
    char *copy;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    BUG_IF(n < 0);
    if (d->kind == DROPPED) {
        return;
    }
    copy = arena_alloc(arena_of(d), (size_t)n + 1);
    if (!copy) {
        drop(in);
        put_text(d, NULL);
        return;
    }
    va_start(ap, fmt);
    vsnprintf(copy, (size_t)n + 1, fmt, ap);
    va_end(ap);
    set_text(in, d, copy);
}

void doc_int(struct doc *in, const char *key, int64_t n)
{
    struct doc *d = place(in, key);

    if (d->kind != DROPPED) {
        d->kind = INTEGER;
        d->n = n;
    }
}

void doc_add_int(struct doc *in, int64_t n)
{
    doc_int(in, NULL, n);
}

void doc_real(struct doc *in, const char *key, double x)
{
    struct doc *d = place(in, key);

    if (d->kind != DROPPED) {
        d->kind = isfinite(x) ? REAL : NOTHING; /* JSON has no word for the others */
        d->x = x;
    }
}

void doc_add_real(struct doc *in, double x)
{
    doc_real(in, NULL, x);
}

void doc_digits(struct doc *in, const char *key, const char *number)
{
    struct doc *d = place(in, key);

    set_text(in, d, number);
    if (d->kind == TEXT) {
        d->kind = DIGITS;
    }
}

void doc_bool(struct doc *in, const char *key, bool yes)
{
    struct doc *d = place(in, key);

    if (d->kind != DROPPED) {
        d->kind = TRUTH;
        d->yes = yes;
    }
}

void doc_add_bool(struct doc *in, bool yes)
{
    doc_bool(in, NULL, yes);
}

void doc_null(struct doc *in, const char *key)
{
    put_text(place(in, key), NULL);
}

/* ---- printing ---- */

/* One code point from the front; what is no UTF-8 is U+FFFD, a byte at a time. */
static uint32_t take_point(struct str *s)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)s->p;
    size_t n = p[0] < 0x80       ? 1
               : p[0] >> 5 == 6  ? 2
               : p[0] >> 4 == 14 ? 3
               : p[0] >> 3 == 30 ? 4
                                 : 0;
    uint32_t point = n == 1 ? p[0] : n ? p[0] & (0x7fu >> n) : 0;

    for (size_t i = 1; i < n; i++) {
        if (i >= s->n || (p[i] & 0xc0) != 0x80) {
            n = 0;
        } else {
            point = point << 6 | (p[i] & 0x3fu);
        }
    }
    if (!n || point < least[n] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
        *s = str_skip(*s, 1);
        return 0xfffd;
    }
    *s = str_skip(*s, n);
    return point;
}

static void print_point(uint32_t point, FILE *out)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
    const char *at = point && point < 0x80 ? strchr(plain, (int)point) : NULL;

    if (at) {
        fprintf(out, "\\%c", letter[at - plain]);
    } else if (point >= 0x10000) {
        fprintf(out, "\\u%04x\\u%04x", 0xd800 + ((point - 0x10000) >> 10),
                0xdc00 + ((point - 0x10000) & 0x3ff));
    } else {
        fprintf(out, "\\u%04x", point);
    }
}

static void print_text(const char *text, FILE *out)
{
    struct str s = str_of(text);

    fputc('"', out);
    while (s.n) {
        size_t n = 0;

        while (n < s.n && s.p[n] >= ' ' && s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '\\') {
            n++;
        }
        fwrite(s.p, 1, n, out);
        s = str_skip(s, n);
        if (s.n) {
            print_point(take_point(&s), out);
        }
    }
    fputc('"', out);
}

static void new_line(unsigned indent, unsigned depth, FILE *out)
{
    if (indent) {
        fprintf(out, "\n%*s", (int)(indent * depth), "");
    }
}

static void print_value(const struct doc *d, unsigned indent, unsigned depth, FILE *out);

static void print_children(const struct doc *d, unsigned indent, unsigned depth, FILE *out)
{
    const char *brackets = d->kind == OBJECT ? "{}" : "[]";

    fputc(brackets[0], out);
    for (const struct doc *c = d->first; c; c = c->next) {
        new_line(indent, depth + 1, out);
        if (d->kind == OBJECT) {
            print_text(c->key, out);
            fputs(": ", out);
        }
        print_value(c, indent, depth + 1, out);
        if (c->next) {
            fputs(indent ? "," : ", ", out);
        }
    }
    if (d->first) {
        new_line(indent, depth, out);
    }
    fputc(brackets[1], out);
}

static void print_value(const struct doc *d, unsigned indent, unsigned depth, FILE *out)
{
    char number[FMT_CAP];

    switch (d->kind) {
    case OBJECT:
    case ARRAY:
        print_children(d, indent, depth, out);
        return;
    case TEXT:
        print_text(d->text, out);
        return;
    case DIGITS:
        fputs(d->text, out);
        return;
    case INTEGER:
        fprintf(out, "%" PRId64, d->n);
        return;
    case REAL:
        fputs(fmt_py_float(d->x, number), out);
        return;
    case TRUTH:
        fputs(d->yes ? "true" : "false", out);
        return;
    case DROPPED:
    case NOTHING:
        fputs("null", out);
        return;
    }
}

void doc_print(const struct doc *d, unsigned indent, FILE *out)
{
    print_value(d, indent, 0, out);
}

static void stream_free(char *text)
{
    free(text);
}

const char *doc_string(const struct doc *d, unsigned indent, struct arena *a)
{
    const char *copy = NULL;
    char *text = NULL;
    size_t n = 0;
    FILE *out = doc_failed(d) ? NULL : open_memstream(&text, &n);

    if (!out) {
        return NULL;
    }
    doc_print(d, indent, out);
    if (fclose(out) == 0) {
        copy = arena_strndup(a, text, n);
    }
    stream_free(text);
    return copy;
}
