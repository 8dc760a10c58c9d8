/* SPDX-License-Identifier: PostgreSQL */
/* ini.h - sections and entries of Barman's configuration files, merged, as texts.
 *
 *     ; comment              a line of its own, '#' or ';'; there are no inline comments
 *     [section]
 *     key = first line       or key: value; the key in any case
 *         second line        indented deeper than its key: joined with a newline
 *
 * The grammar of a line is inih's. Two habits of the library as Debian builds it would damage
 * values, so it never sees one: it reads lines in pieces of 199 bytes, making an option of the
 * rest of a long one, and it takes " ;" inside a line for a comment. We cut the file into
 * logical lines ourselves, feed inih "key=@" and keep the value beside it.
 *
 * Merging  Sections of the same name become one, across files; a later entry replaces an
 *          earlier one of the same key.
 * Errors   ERR_CONFIG with "file:line": a line that is neither, an entry before any section, a
 *          NUL byte, a value over CFG_VALUE_MAX. ERR_IO and ERR_MISSING as file_read()
 *          has them.
 */
#ifndef CFG_INI_H
#define CFG_INI_H

#include "barkeep/arena.h"
#include "barkeep/err.h"
#include "barkeep/str.h"

struct ini_entry {
    const char *key;   /* lower case */
    const char *value; /* as in the file: quotes and % still there */
    const char *where; /* "file:line" */
    bool referenced;   /* by some %(key)s: a variable, not a misspelt option */
    struct ini_entry *next;
};

struct ini_section {
    const char *name;
    const char *where;
    struct ini_entry *entry; /* in order of first appearance */
    struct ini_section *next;
};

struct ini {
    struct ini_section *section; /* in order of first appearance */
};

/* Adds the file's sections. frozen: name of a section whose entries may not change any more
 * ("barman", for an included file), or NULL. */
MUST_CHECK bool ini_read(struct arena *a, struct ini *ini, const char *path, const char *frozen,
                         struct err *err);

/* The same from memory; path is only for messages. */
MUST_CHECK bool ini_read_text(struct arena *a, struct ini *ini, const char *path,
                              struct str text, const char *frozen, struct err *err);

struct ini_section *ini_section(const struct ini *ini, const char *name); /* NULL: none */
struct ini_entry *ini_entry(const struct ini_section *section, struct str key);

#endif
