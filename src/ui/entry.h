/* SPDX-License-Identifier: PostgreSQL */
/* entry.h - the small files a person edits: one "key = value" a line.
 *
 *     ; comment             a line that begins with ';' or '#'
 *     key = value  ; why    a ';' behind a blank begins a comment, too
 *
 * Themes, the key file and the screen's own memory are read by it. No sections, no line that
 * goes on, no quotes. A byte order mark and CRLF do not disturb.
 *
 * Errors  ERR_FORMAT with "file:line": no '=', no key, no value, a NUL byte, a line longer than
 *         ENTRY_LINE_MAX.
 */
#ifndef UI_ENTRY_H
#define UI_ENTRY_H

#include "barkeep/err.h"
#include "barkeep/str.h"

#define ENTRY_LINE_MAX 8192
#define ENTRY_FILE_MAX 262144 /* what such a file may have at most */

struct entries {
    struct str rest;
    const char *what; /* the file, for messages */
    unsigned line;    /* of the entry last given, from 1 */
    struct str key, value;
};

enum entry_next { ENTRY_END, ENTRY_IS, ENTRY_BAD };

void entries_begin(struct entries *e, struct str text, const char *what);
enum entry_next entries_next(struct entries *e, struct err *err);

/* ERR_FORMAT at the current line; returns false. */
bool entry_bad(const struct entries *e, struct err *err, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The next word of a value; false: none is left. */
bool entry_word(struct str *rest, struct str *word);

#endif
