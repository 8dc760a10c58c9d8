/* SPDX-License-Identifier: PostgreSQL */
/* wal_pack.h - a WAL file on its way into the archive: packed, encrypted, or as it is.
 *
 * Any number at the same time; no state.
 */
#ifndef REPO_WAL_PACK_H
#define REPO_WAL_PACK_H

#include "wal_store.h"

struct wal_pack {
    const struct repo *repo;
    enum codec_kind pack;
    int level;
    enum wal_seal seal;
    uint64_t size; /* of the source */
    int cancel_fd; /* -1: none */
    struct wal_room *room;
    struct str mem; /* all of the source, as wal_room_fill() gave it; n 0: it is read */
};

/* All of `from` into `to`, an empty file opened for reading and writing; `to_path` with
 * ".seal" behind it is used in between when something is encrypted. */
MUST_CHECK bool wal_pack_copy(const struct wal_pack *w, int from, const char *from_path, int to,
                              const char *to_path, struct err *err);

/* Is a plain file of that size packed from memory? */
bool wal_pack_is_whole(enum codec_kind kind, uint64_t size);

/* All of the file, which is in the room until that is used again. */
MUST_CHECK bool wal_room_fill(struct wal_room *room, int fd, const char *path, uint64_t size,
                              struct str *out, struct err *err);

/* Does this errno of link() mean that it cannot be done here at all? */
bool wal_link_impossible(int os);

#endif
