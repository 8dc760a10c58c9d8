/* SPDX-License-Identifier: PostgreSQL */
/* pylit.h - the few Python literals that a backup.info holds, read and written.
 *
 *     'text'  "it's"  '\n \t \\ \' \x41 \u20ac \U0001f600'   text
 *     ['a', 'b']                                            a list of texts
 *     [('tbs1', 16384, '/srv/tbs1')]                        tablespaces
 *     {'copy_time': 0.5, 'by_item': {'pgdata': 0.1}}        a number by its key
 *
 * Written as Python's repr() writes them, so that a file made here and one made by Barman
 * cannot be told apart: single quotes unless the text holds one and no double quote.
 *
 * Errors   The readers return false for anything else; the caller knows file and line.
 * Bounds   Nothing is larger than the text it was read from; nesting at most 16.
 * Source   Python 3 language reference, string and bytes literals; repr() of str, list, tuple.
 */
#ifndef REPO_PYLIT_H
#define REPO_PYLIT_H

#include "barkeep/arena.h"
#include "barkeep/model.h"
#include "barkeep/str.h"
#include "base/file.h"

/* A whole string literal -> its text, in the arena. A NUL inside is refused. */
bool pylit_text(struct arena *a, struct str literal, const char **out);
/* Inverse, appended to b. */
void pylit_put_text(struct sbuf *b, const char *text);

bool pylit_list(struct arena *a, struct str literal, struct names *out);
void pylit_put_list(struct sbuf *b, const struct names *list);

bool pylit_tablespaces(struct arena *a, struct str literal, const struct tablespace **out,
                       size_t *n);
void pylit_put_tablespaces(struct sbuf *b, const struct tablespace *t, size_t n);

/* A number of the outermost dictionary. */
bool pylit_number(struct str dict, const char *key, double *out);

/* The literal as the member `key` of an object: dictionaries (whose keys are texts) are objects,
 * lists and tuples arrays. */
struct doc;
bool pylit_doc(struct arena *a, struct str literal, struct doc *in, const char *key);

/* Is it one well-formed literal (text, number, None, True, False, list, tuple, dict)? */
bool pylit_ok(struct str literal);

#endif
