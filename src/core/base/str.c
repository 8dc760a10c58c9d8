/* SPDX-License-Identifier: PostgreSQL */
#include "barkeep/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct str str_of(const char *s)
{
    return (struct str){s, s ? strlen(s) : 0};
}

struct str str_n(const char *p, size_t n)
{
    return (struct str){p, n};
}

bool str_eq(struct str a, const char *b)
{
    size_t n = strlen(b);

    return a.n == n && (n == 0 || memcmp(a.p, b, n) == 0);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq_nocase(struct str a, const char *b)
{
    size_t i;

    for (i = 0; i < a.n && b[i]; i++) {
        if (lower(a.p[i]) != lower(b[i])) {
            return false;
        }
    }
    return i == a.n && !b[i];
}

bool str_starts(struct str s, const char *prefix)
{
    size_t n = strlen(prefix);

    return s.n >= n && (n == 0 || memcmp(s.p, prefix, n) == 0);
}

bool str_ends(struct str s, const char *suffix)
{
    size_t n = strlen(suffix);

    return s.n >= n && (n == 0 || memcmp(s.p + s.n - n, suffix, n) == 0);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.n && blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && blank(s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

struct str str_skip(struct str s, size_t n)
{
    if (n > s.n) {
        n = s.n;
    }
    return (struct str){s.n ? s.p + n : s.p, s.n - n};
}

bool str_find(struct str s, char c, size_t *at)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;

    if (!hit) {
        return false;
    }
    *at = (size_t)(hit - s.p);
    return true;
}

bool str_split(struct str *rest, char at, struct str *head)
{
    size_t n;

    if (!rest->p) {
        return false;
    }
    if (str_find(*rest, at, &n)) {
        *head = (struct str){rest->p, n};
        *rest = (struct str){rest->p + n + 1, rest->n - n - 1};
    } else {
        *head = *rest;
        *rest = (struct str){NULL, 0};
    }
    return true;
}

bool str_line(struct str *rest, struct str *line)
{
    if (!rest->p || rest->n == 0) {
        return false;
    }
    return str_split(rest, '\n', line);
}

bool str_take_char(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c) {
        return false;
    }
    *s = str_skip(*s, 1);
    return true;
}

bool str_take_lit(struct str *s, const char *lit)
{
    if (!str_starts(*s, lit)) {
        return false;
    }
    *s = str_skip(*s, strlen(lit));
    return true;
}

bool str_take_u64(struct str *s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    size_t i = 0;

    for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
        unsigned d = (unsigned)(s->p[i] - '0');
        if (v > (max - d) / 10 || d > max) {
            return false;
        }
        v = v * 10 + d;
    }
    if (i == 0) {
        return false;
    }
    *s = str_skip(*s, i);
    *out = v;
    return true;
}

bool str_take_digits(struct str *s, int n, unsigned *out)
{
    unsigned v = 0;

    if (s->n < (size_t)n) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9') {
            return false;
        }
        v = v * 10 + (unsigned)(s->p[i] - '0');
    }
    *s = str_skip(*s, (size_t)n);
    *out = v;
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

bool str_take_hex(struct str *s, uint64_t *out)
{
    uint64_t v = 0;
    size_t i = 0;

    for (; i < s->n && hex_value(s->p[i]) >= 0; i++) {
        if (i == 16) {
            return false;
        }
        v = v << 4 | (uint64_t)hex_value(s->p[i]);
    }
    if (i == 0) {
        return false;
    }
    *s = str_skip(*s, i);
    *out = v;
    return true;
}

bool str_u64(struct str s, uint64_t max, uint64_t *out)
{
    uint64_t v;

    if (!str_take_u64(&s, max, &v) || s.n) {
        return false;
    }
    *out = v;
    return true;
}

bool str_i64(struct str s, int64_t *out)
{
    bool minus = str_take_char(&s, '-');
    uint64_t v;

    if (!str_u64(s, minus ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX, &v)) {
        return false;
    }
    *out = minus ? (v ? -(int64_t)(v - 1) - 1 : 0) : (int64_t)v;
    return true;
}

bool str_hex_u64(struct str s, int digits, uint64_t *out)
{
    uint64_t v;

    if (digits) {
        if (s.n != (size_t)digits) {
            return false;
        }
        for (size_t i = 0; i < s.n; i++) {
            if (s.p[i] >= 'a' && s.p[i] <= 'f') {
                return false;
            }
        }
    }
    if (!str_take_hex(&s, &v) || s.n) {
        return false;
    }
    *out = v;
    return true;
}

void sbuf_init(struct sbuf *b, char *mem, size_t cap)
{
    *b = (struct sbuf){.p = mem, .cap = cap};
    mem[0] = '\0';
}

void sbuf_add_n(struct sbuf *b, const char *s, size_t n)
{
    size_t room = b->cap - 1 - b->len;

    if (n > room) {
        b->overflow = true;
        n = room;
    }
    if (n) {
        memcpy(b->p + b->len, s, n);
    }
    b->len += n;
    b->p[b->len] = '\0';
}

void sbuf_add(struct sbuf *b, const char *s)
{
    sbuf_add_n(b, s, strlen(s));
}

void sbuf_char(struct sbuf *b, char c)
{
    sbuf_add_n(b, &c, 1);
}

void sbuf_shell_word(struct sbuf *b, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_./:=,+@%";

    if (word[0] && word[strspn(word, plain)] == '\0') {
        sbuf_add(b, word);
        return;
    }
    sbuf_char(b, '\'');
    for (; *word; word++) {
        if (*word == '\'') {
            sbuf_add(b, "'\\''");
        } else {
            sbuf_char(b, *word);
        }
    }
    sbuf_char(b, '\'');
}

void sbuf_vfmt(struct sbuf *b, const char *fmt, va_list ap)
{
    size_t room = b->cap - b->len;
    int n = vsnprintf(b->p + b->len, room, fmt, ap);

    if (n < 0 || (size_t)n >= room) {
        b->overflow = true;
        b->len = n < 0 ? b->len : b->cap - 1;
        b->p[b->len] = '\0';
        return;
    }
    b->len += (size_t)n;
}

void sbuf_fmt(struct sbuf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    sbuf_vfmt(b, fmt, ap);
    va_end(ap);
}

bool sbuf_ok(const struct sbuf *b)
{
    return !b->overflow;
}

char *str_new(struct str s)
{
    char *copy = malloc(s.n + 1);

    if (copy) {
        if (s.n > 0) {
            memcpy(copy, s.p, s.n);
        }
        copy[s.n] = '\0';
    }
    return copy;
}

bool str_copy(char *out, size_t cap, const char *s)
{
    struct sbuf b;

    sbuf_init(&b, out, cap);
    sbuf_add(&b, s);
    return sbuf_ok(&b);
}

bool str_fmt(char *out, size_t cap, const char *fmt, ...)
{
    struct sbuf b;
    va_list ap;

    sbuf_init(&b, out, cap);
    va_start(ap, fmt);
    sbuf_vfmt(&b, fmt, ap);
    va_end(ap);
    return sbuf_ok(&b);
}

void str_tame(char *s)
{
    unsigned char before = 0;

    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        bool upper = c >= 0x80 && c <= 0x9f && (before == 0xc2 || before < 0x80);

        if ((c < 0x20 && c != '\t') || c == 0x7f || upper) {
            *s = '?';
        }
        before = upper ? 0 : c;
    }
}
