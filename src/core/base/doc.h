/* SPDX-License-Identifier: PostgreSQL */
/* doc.h - a JSON document that is built piece by piece and printed once.
 *
 * Objects print their keys sorted by bytes, on one line, ", " and ": " between, as Python's
 * json.dumps(sort_keys=True) does; text is escaped to ASCII. Setting a key again replaces it.
 * A NULL text is null. Passwords in texts are covered, as redact() of log.h does.
 *
 * Ownership  Everything lives in the arena given to doc_new(); texts are copied.
 * Memory     A refused growth drops the value and is remembered: doc_failed() tells before
 *            anything is printed. So builders need not look at every step, and the functions
 *            that return a child never return NULL.
 */
#ifndef BASE_DOC_H
#define BASE_DOC_H

#include "barkeep/arena.h"
#include "barkeep/str.h"

#include <stdint.h>
#include <stdio.h>

struct doc; /* an object, an array or a value in one */

struct doc *doc_new(struct arena *a); /* an empty object */
bool doc_failed(const struct doc *top);

/* Members of an object; key NULL: an item of an array. */
struct doc *doc_object(struct doc *in, const char *key); /* the one that is there, or new */
struct doc *doc_array(struct doc *in, const char *key);
void doc_text(struct doc *in, const char *key, const char *text);
void doc_fmt(struct doc *in, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void doc_int(struct doc *in, const char *key, int64_t n);
void doc_real(struct doc *in, const char *key, double x); /* shortest text that reads back */
void doc_bool(struct doc *in, const char *key, bool yes);
void doc_null(struct doc *in, const char *key);
void doc_digits(struct doc *in, const char *key, const char *number); /* JSON's, as it is */

/* Items of an array. */
struct doc *doc_add_object(struct doc *in);
struct doc *doc_add_array(struct doc *in);
void doc_add_text(struct doc *in, const char *text);
void doc_add_int(struct doc *in, int64_t n);
void doc_add_real(struct doc *in, double x);
void doc_add_bool(struct doc *in, bool yes);

/* Lay a printed object over this one: the members of objects come together, the items of arrays
 * behind those that are there, anything else replaces. ERR_FORMAT: it was no such object; what
 * was read before the fault stays. */
MUST_CHECK bool doc_merge(struct doc *in, struct str text, struct err *err);

/* indent 0: one line, no newline at the end; otherwise spaces a level. */
void doc_print(const struct doc *d, unsigned indent, FILE *out);
/* The same into the arena; NULL when refused. */
const char *doc_string(const struct doc *d, unsigned indent, struct arena *a);

#endif
