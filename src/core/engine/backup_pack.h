/* SPDX-License-Identifier: PostgreSQL */
/* backup_pack.h - the archives of a backup that is stored as archives.
 *
 *     stream -> [blocks, compressed side by side] -> [gpg, through a pipe] -> file
 *
 * What the server compressed goes to the file as it comes. A tar that comes without its two
 * zero blocks (PostgreSQL 13, 14) gets them, so that every tar program reads it.
 *
 * Nothing of a backup that is encrypted touches the disk in the clear.
 *
 * Threads  new and free in the thread of the verb; the rest in the consumer of its lane.
 * Errors   ERR_IO; gpg's own.
 */
#ifndef ENGINE_BACKUP_PACK_H
#define ENGINE_BACKUP_PACK_H

#include "barkeep/task.h"
#include "engine/backup_form.h"
#include "repo/sync.h"

struct pack;

struct pack_spec {
    const struct task *task;
    const struct backup_form *form;
    const char *dir; /* data/; exists */
    struct sync *sync;
    bool trailers; /* do the archives come with their end? */
};

MUST_CHECK struct pack *pack_new(const struct pack_spec *spec, struct err *err);
void pack_free(struct pack *p); /* NULL is fine */

/* name: "base" or the oid of a tablespace. */
MUST_CHECK bool pack_begin(struct pack *p, const char *name, struct err *err);
MUST_CHECK bool pack_data(struct pack *p, const void *mem, size_t n, struct err *err);
MUST_CHECK bool pack_end(struct pack *p, struct err *err);

uint64_t pack_bytes(const struct pack *p); /* of all files that ended */

#endif
