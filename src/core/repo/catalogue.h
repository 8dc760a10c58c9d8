/* SPDX-License-Identifier: PostgreSQL */
/* catalogue.h - all backups of a server, and what is noted about them.
 *
 * Loading lists base/ and meta/ once and reads one file per backup; a backup is there when it
 * has a backup.info in either place (meta/ wins). Order: by id, oldest first; ids are times, so
 * that is the order in which the backups were begun.
 *
 * "Copy done" means DONE or WAITING_FOR_WALS.
 *
 * Ownership  Everything lives in the arena.
 * Errors     What backup_info.h says; ERR_MISSING for a word that names no backup.
 * Source     Barman 3.17: short names, annotations and identity.json.
 */
#ifndef REPO_CATALOGUE_H
#define REPO_CATALOGUE_H

#include "backup_info.h"

struct catalogue {
    const struct backup *backup; /* sorted by id */
    size_t n;
    size_t unread;         /* left out by catalogue_look() */
    const struct err *why; /* what is wrong with the first of those */
};

/* All of them or none: for whoever decides what may be thrown away. */
MUST_CHECK bool catalogue_load(const struct repo *r, struct arena *a, struct catalogue *out,
                               struct err *err);
/* For whoever looks or restores: one backup.info that cannot be read hides its own backup, not
 * the others. To be told: unread and why. */
MUST_CHECK bool catalogue_look(const struct repo *r, struct arena *a, struct catalogue *out,
                               struct err *err);

/* NULL: no such id. */
const struct backup *catalogue_find(const struct catalogue *c, const char *id);

/* latest, last; oldest, first (copy done) · last-failed · latest-full, last-full (neither
 * incremental nor snapshot) · an id · the name of a copy-done backup (two of that name: error
 * listing the ids). server is for the message "Unknown backup 'x' for server 'y'". */
MUST_CHECK bool catalogue_resolve(const struct catalogue *c, const char *server,
                                  const char *word, const struct backup **out, struct err *err);
bool catalogue_word_reserved(const char *word); /* may not be the name of a backup */

/* The nearest copy-done backup before and after that id; NULL: none. */
const struct backup *catalogue_previous(const struct catalogue *c, const char *id);
const struct backup *catalogue_next(const struct catalogue *c, const char *id);

/* Nothing of it is left but its facts: no directory in base/, or an empty one. For whoever decides
 * what may be thrown away it is no backup. A directory that cannot be read is not empty. */
bool backup_is_orphan(const struct repo *r, const struct backup *b);

/* Notes beside a backup: meta/<id>-<what>, or base/<id>/annotations/<what>; both are read, one
 * is written in the layout of the server. */
MUST_CHECK bool keep_read(const struct repo *r, const char *id, enum keep *out,
                          struct err *err);
/* Durably; KEEP_NONE takes the note away, of old too. */
MUST_CHECK bool keep_write(const struct repo *r, const char *id, enum keep keep,
                           struct err *err);
const char *keep_name(enum keep keep); /* "nokeep", "full", "standalone" */

/* For who changes the layout: does a note lie where r->layout does not have it; bring it there. */
enum note { NOTE_KEEP, NOTE_DELETE };
MUST_CHECK bool note_elsewhere(const struct repo *r, const char *id, enum note note, bool *out,
                               struct err *err);
MUST_CHECK bool note_move(const struct repo *r, const char *id, enum note note,
                          struct err *err);

MUST_CHECK bool delete_mark_set(const struct repo *r, const char *id, struct err *err);
MUST_CHECK bool delete_mark_clear(const struct repo *r, const char *id, struct err *err);
bool delete_mark_is_set(const struct repo *r, const char *id);

/* identity.json: {"systemid": "...", "version": "15"}, written once. */
struct identity {
    char systemid[24]; /* decimal; "" when there is no identity.json yet */
    char version[16];  /* major version: "15" */
};
/* Its text, and back; false: it is none. Of what is missing the text is "". */
MUST_CHECK bool identity_parse(struct str text, struct identity *out);
void identity_put(struct sbuf *b, const struct identity *id);
MUST_CHECK bool identity_load(const struct repo *r, struct identity *out, struct err *err);
MUST_CHECK bool identity_save(const struct repo *r, const struct identity *id, struct err *err);
/* Is what the server says now what this directory belongs to? Without identity.json, and with
 * an unknown ("") systemid on either side: yes. ERR_UNSAFE otherwise, naming both. */
MUST_CHECK bool identity_check(const struct identity *kept, const struct identity *now,
                               struct err *err);

#endif
