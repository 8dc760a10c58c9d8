/* SPDX-License-Identifier: PostgreSQL */
/* saved.h - what was seen of each server, as text: <home>/.barkeep/seen.
 *
 *     barkeep-seen 1
 *     server TAB name=orders-db1 TAB made=1795347000000000 TAB light=5 ...
 *     live TAB state=1 TAB version_text=15.18 ...
 *     backup TAB id=20261122T134359 ...              newest first
 *     coverage TAB last_wal=...                      then stretch, hole, line
 *     end TAB servers=1
 *
 * Strict    Keys in the order of the tables in saved_fields.c, each at most once; what is not known is
 *           left out; an unknown key or line, a number out of range or too many lines make an
 *           entry ERR_FORMAT. A file without its last line says nothing at all.
 * Bounds    SAVED_MAX bytes, SAVED_ENTRY_MAX of one server; the newest SAVED_* rows are kept.
 * Source    doc/formats.md
 */
#ifndef WORKERS_SAVED_H
#define WORKERS_SAVED_H

#include "barkeep/err.h"
#include "barkeep/snapshot.h"
#include "barkeep/str.h"

#define SAVED_MAX       ((size_t)16 * 1024 * 1024)
#define SAVED_ENTRY_MAX ((size_t)64 * 1024)
#define SAVED_VALUE_MAX 512 /* of a text; longer ones are cut */
#define SAVED_BACKUPS   32
#define SAVED_STRETCHES 16
#define SAVED_HOLES     16
#define SAVED_LINES     16

/* The entry of one server, lines with their LF; NULL: no memory, or it does not fit. */
char *saved_text_new(const struct snapshot *s);
void saved_text_free(char *text);

/* Out of such an entry, with is_saved; index is 0. NULL: refused. */
MUST_CHECK struct snapshot *saved_snapshot(struct str entry, struct err *err);

/* What `old` knows of the live server, for a snapshot whose server has not answered yet. */
void saved_recall(struct snapshot *into, const struct snapshot *old);

/* The entries of a file, one after the other. */
struct saved_file {
    struct str rest;
};
MUST_CHECK bool saved_open(struct saved_file *f, struct str text, struct err *err);
bool saved_next(struct saved_file *f, struct str *entry); /* false: no more */

#define SAVED_HEAD "barkeep-seen 1\n"

#endif
