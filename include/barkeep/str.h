/* SPDX-License-Identifier: PostgreSQL */
/* str.h - views into text, a bounded builder, and strict little parsers.
 *
 * struct str   A view: never owns, may hold NUL bytes, need not end in NUL. What parsers take
 *              and give.
 * struct sbuf  A builder over memory of the caller: always NUL-terminated, never grows,
 *              remembers that it overflowed; ask once at the end with sbuf_ok().
 * Parsers      str_take_*() move the view forward only on success. None skips blanks, accepts
 *              signs, prefixes or the locale's opinions unless its line says so.
 */
#ifndef BARKEEP_STR_H
#define BARKEEP_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *p;
    size_t n;
};

#define STR_LIT(s) ((struct str){(s), sizeof(s) - 1})

struct str str_of(const char *s); /* NULL gives an empty view */
struct str str_n(const char *p, size_t n);
bool str_eq(struct str a, const char *b);
bool str_eq_nocase(struct str a, const char *b); /* ASCII */
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
struct str str_trim(struct str s); /* ASCII blanks, tabs, CR, LF at both ends */
struct str str_skip(struct str s, size_t n);
bool str_split(struct str *rest, char at, struct str *head); /* head = up to `at` or the end;
                                                                false when rest was used up */
bool str_line(struct str *rest, struct str *line); /* next line without its LF; false at end */
bool str_find(struct str s, char c, size_t *at);

/* The whole view must be the number. */
bool str_u64(struct str s, uint64_t max, uint64_t *out);   /* decimal digits only */
bool str_i64(struct str s, int64_t *out);                  /* one leading '-' allowed */
bool str_hex_u64(struct str s, int digits, uint64_t *out); /* exactly `digits`, upper-case;
                                                              0: 1 to 16, either case */
/* From the front of the view. */
bool str_take_char(struct str *s, char c);
bool str_take_lit(struct str *s, const char *lit);
bool str_take_u64(struct str *s, uint64_t max, uint64_t *out);
bool str_take_digits(struct str *s, int n, unsigned *out); /* exactly n <= 9 decimal digits */
bool str_take_hex(struct str *s, uint64_t *out);           /* 1 to 16 digits, either case */

struct sbuf {
    char *p;
    size_t cap; /* with the NUL */
    size_t len;
    bool overflow;
};

void sbuf_init(struct sbuf *b, char *mem, size_t cap);
void sbuf_add(struct sbuf *b, const char *s);
void sbuf_add_n(struct sbuf *b, const char *s, size_t n);
void sbuf_char(struct sbuf *b, char c);
void sbuf_fmt(struct sbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sbuf_vfmt(struct sbuf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* A word as a shell reads it back: 'between quotes' where it must. */
void sbuf_shell_word(struct sbuf *b, const char *word);
bool sbuf_ok(const struct sbuf *b);

/* Copy with truncation, always NUL-terminated; false when it was cut. */
bool str_copy(char *out, size_t cap, const char *s);

/* One line, safe for a terminal: tabs stay, '?' stands for the other control characters, those of
 * ASCII and U+0080 to U+009F, among which is the one that begins an escape sequence in a single
 * byte. */
void str_tame(char *s);
/* A NUL-terminated copy, the caller's to free(); NULL when there is no memory. */
char *str_new(struct str s);
/* printf into out[cap]; false when it was cut. */
bool str_fmt(char *out, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
