/* SPDX-License-Identifier: PostgreSQL */
/* manifest.h - reading a backup_manifest of any length with the memory of one file's entry.
 *
 *     { "PostgreSQL-Backup-Manifest-Version": 1,
 *     "Files": [
 *     { "Path": "backup_label", "Size": 224, "Last-Modified": "2026-11-22 13:43:59 GMT",
 *       "Checksum-Algorithm": "CRC32C", "Checksum": "3f2a9b01" },
 *     ...
 *     ],
 *     "WAL-Ranges": [
 *     { "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000100" }
 *     ],
 *     "Manifest-Checksum": "<sha256 of every byte before this line>"}
 *
 * Use      manifest_init(), manifest_feed() for each piece, manifest_end() at the end. Only
 *          when manifest_end() said yes is anything that was handed out to be believed.
 * Accepts  versions 1 and 2 (2: System-Identifier, PostgreSQL 17), keys of an object in any
 *          order, Path or Encoded-Path (hex, for names that are not UTF-8), and what Barman
 *          writes: no "GMT", no WAL-Ranges.
 * Refuses  a manifest checksum that is wrong, missing, cut or not on the last line; bytes
 *          after the final newline; unknown keys; a name that is empty, absolute or has "..",
 *          "." or "" between its slashes; a digest of the wrong length.
 * Twice    The same path twice is found where the order of the paths can be compared: by the
 *          caller's own order or sort (engine/sums.h), not here, since memory stays flat.
 * Errors   ERR_FORMAT, naming the file given to manifest_init().
 * Source   PostgreSQL 13-18: src/backend/backup/backup_manifest.c, src/common/parse_manifest.c.
 */
#ifndef PG_MANIFEST_H
#define PG_MANIFEST_H

#include "barkeep/err.h"
#include "barkeep/model.h"
#include "barkeep/str.h"
#include "base/digest.h"
#include "base/json.h"

#define MANIFEST_PATH_CAP 1025 /* MAXPGPATH and a NUL */

struct manifest_file {
    struct str path; /* bytes, not necessarily UTF-8; NUL-terminated; valid in the callback */
    uint64_t size;
    int64_t mtime_s; /* since 1970, UTC */
    enum digest_kind kind;
    uint8_t sum[DIGEST_MAX]; /* digest_size(kind) bytes */
};

struct manifest_range { /* WAL needed to make the backup consistent; newest first */
    pg_tli tli;
    pg_lsn start, end;
};

struct manifest_events {
    void *ctx;
    bool (*file)(void *ctx, const struct manifest_file *file, struct err *err);
    bool (*range)(void *ctx, const struct manifest_range *range, struct err *err); /* or NULL */
};

struct manifest {
    struct manifest_events events;
    char name[256]; /* of the file, for messages */
    struct json json;
    struct digest sum;
    bool is_summed; /* sum was begun */
    uint64_t files;
    int version;       /* 0 until seen */
    uint64_t systemid; /* 0 when the manifest has none */
    /* below: manifest.c only */
    int place, key;
    unsigned seen;      /* keys of the top object */
    unsigned item_seen; /* keys of the entry at hand */
    char held[256];     /* the line at hand: part of the sum only when another one follows */
    size_t held_n;
    bool long_line; /* it is too long to be the last one, its first part is in the sum */
    struct manifest_file file;
    struct manifest_range range;
    char path[MANIFEST_PATH_CAP];
    char hex[DIGEST_HEX_CAP];
    uint8_t claimed[32]; /* Manifest-Checksum */
};

/* name: the file, for messages. */
void manifest_init(struct manifest *m, const char *name, const struct manifest_events *events);
MUST_CHECK bool manifest_feed(struct manifest *m, const void *p, size_t n, struct err *err);
MUST_CHECK bool manifest_end(struct manifest *m, struct err *err);

/* The whole of an open file, from where it stands. */
MUST_CHECK bool manifest_read_fd(struct manifest *m, int fd, struct err *err);

#endif
