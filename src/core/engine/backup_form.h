/* SPDX-License-Identifier: PostgreSQL */
/* backup_form.h - how a base backup is stored, out of backup_compression* and encryption.
 *
 *     no backup_compression          a plain tree
 *     format plain (server only)     the server compresses, we unpack while it arrives: a tree
 *     format tar (the default)       data/base.tar[.gz|.lz4|.zst], data/<oid>.tar[...]:
 *                                    compressed by the server and kept as they come, or by us,
 *                                    block by block on the workers
 *     backup_compression = none      plain tar
 *     encryption = gpg               tar only: each file goes through gpg, <file>.gpg
 *
 * Whatever the form, every member of every archive is summed while it passes and held against
 * the manifest.
 *
 * Errors  ERR_CONFIG: what this server's version cannot do, a gpg backup that is not tar.
 */
#ifndef ENGINE_BACKUP_FORM_H
#define ENGINE_BACKUP_FORM_H

#include "cfg/server.h"
#include "repo/codec.h"
#include "repo/gpg.h"

#include <stdint.h>

#define FORM_LEVEL_UNSET INT64_MIN

struct backup_form {
    bool is_tar;
    bool by_server; /* who compresses */
    enum codec_kind codec;
    const char *name; /* for backup.info: "gzip", "none"; NULL: a plain tree */
    int64_t level;    /* FORM_LEVEL_UNSET: the algorithm's own */
    int64_t workers;  /* of the server's zstd; 0: none */
    bool is_encrypted;
    struct gpg gpg;
};

/* server_version: as PQserverVersion(); 0: not known, what depends on it is not judged. */
MUST_CHECK bool backup_form_of(const struct server_cfg *srv, int server_version,
                               struct backup_form *out, struct err *err);

/* What gpg needs for this server's files. */
struct gpg backup_form_gpg(const struct server_cfg *srv, int cancel_fd);

/* ".tar", ".tar.gz", ".tar.lz4", ".tar.zst"; with ".gpg" behind when encrypted. */
const char *backup_form_suffix(enum codec_kind codec, bool is_encrypted);

#endif
