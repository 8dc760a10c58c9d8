/* SPDX-License-Identifier: PostgreSQL */
/* wal_store.h - archived WAL: taking files in for good, and finding and reading them.
 *
 * Taking in, a batch at a time:
 *
 *     add     check the file -> sync it -> give it its final name (a hard link, so that nothing
 *             is ever overwritten; a synced copy through <name>.tmp when it is to be compressed
 *             or lies on another file system)
 *     flush   sync the directories -> append to xlog.db, synced -> remove the sources
 *
 * A file whose sync fails is taken for lost: it goes to errors_dir as <name>.<stamp>.error,
 * since syncing it again could succeed without anything having reached the disk.
 *
 * A crash at any point leaves the source in place or the file archived and listed; adding the
 * source again finds its twin, makes sure of the line in xlog.db and removes the source.
 *
 * Rules    A plain segment has exactly one segment's size, and its first page says the cluster,
 *          the segment size and the place that its name says; the timeline on the page may be
 *          smaller than the one in the name, never larger. A segment that came in compressed is
 *          held to the same after unpacking it, and is stored as it came.
 * Twins    A name that is archived already: the same content is success and the source
 *          goes; other content leaves the archived file alone and moves the source to
 *          errors_dir as <name>.<UTC YYYYMMDDTHHMMSSZ>.duplicate. The same holds for
 *          history files.
 * Locks    The caller holds LOCK_ARCHIVE_WAL from the first add to the last flush.
 * Ownership  wal_store_new() / wal_store_free(); free without flush leaves the sources in
 *            place.
 * Errors   ERR_FORMAT for a file that breaks a rule (it stays where it is); ERR_IO
 *          otherwise.
 * Source   PostgreSQL, xlog_internal.h; Barman 3.17, names in errors/.
 */
#ifndef REPO_WAL_STORE_H
#define REPO_WAL_STORE_H

#include "barkeep/task.h"
#include "codec.h"
#include "wal/proof.h"
#include "xlogdb.h"

struct wal_rules { /* what is known of the cluster; 0: not known, then not checked */
    uint64_t systemid;
    uint32_t seg_size;
    unsigned major; /* 15 */
};

/* Whose records are walked: of what is packed or encrypted here or came packed, or of all. What
 * came encrypted is not. A damaged segment is taken in all the same: wal_added.proven tells. */
enum wal_prove { WAL_PROVE_PACKED, WAL_PROVE_ALL };

enum wal_seal { WAL_UNSEALED, WAL_SEALED }; /* encrypted by gpg, after packing */

struct wal_store_options {
    struct wal_rules rules;
    enum codec_kind pack;
    int level; /* as codec_level() gives it */
    enum wal_seal seal;
    enum wal_prove prove;
    const struct task *task; /* whose cancelling stops a custom command; NULL: nobody's */
};

#define WAL_BATCH 32

enum wal_fate {
    WAL_STORED,    /* archived by the next flush */
    WAL_TWIN,      /* was archived already, the same bytes */
    WAL_DUPLICATE, /* was archived already, other bytes: moved to errors_dir */
};

struct wal_proven { /* what the walk of one segment has found (wal/proof.h) */
    bool is_walked;
    uint32_t seg_size;
    struct wal_end end; /* reason WAL_END_NONE: it is sound in itself, and edge is whole */
    struct wal_edge edge;
};

struct wal_added {
    enum wal_fate fate;
    struct wal_proven proven;
    char moved_to[PATH_CAP];   /* WAL_DUPLICATE */
    char ours[65], theirs[65]; /* WAL_DUPLICATE: SHA-256 of archived and offered, unpacked;
                                "": encrypted, they could not be compared */
};

struct wal_store;

struct wal_store *wal_store_new(const struct repo *r, const struct wal_store_options *options,
                                struct err *err);
void wal_store_free(struct wal_store *s);

/* source: path of a file whose last part is its WAL file name. A full batch is flushed first.
 */
MUST_CHECK bool wal_store_add(struct wal_store *s, const char *source, struct wal_added *out,
                              struct err *err);

/* The same in two steps, so that files can be packed side by side: any number of prepare at the
 * same time, then in the order of the list take, which gives the names. What prepare found wrong
 * comes out of take. A prepared file that is not taken is dropped. */
struct wal_prepared;
struct wal_prepared *wal_prepared_new(struct err *err);
void wal_prepared_free(struct wal_prepared *p);
/* The memory for packing, some twice the size of a segment: kept from one file to the next, used
 * by one prepare at a time. */
struct wal_room;
struct wal_room *wal_room_new(struct err *err);
void wal_room_free(struct wal_room *room);
void wal_store_prepare(const struct wal_store *s, const char *source, struct wal_room *room,
                       struct wal_prepared *p);
const struct err *wal_prepared_err(const struct wal_prepared *p); /* code ERR_NONE: well */
MUST_CHECK bool wal_store_take(struct wal_store *s, struct wal_prepared *p,
                               struct wal_added *out, struct err *err);
void wal_store_drop(struct wal_prepared *p);

MUST_CHECK bool wal_store_flush(struct wal_store *s, struct err *err);

/* Walk a segment that lies anywhere. Not walked: what is no whole segment, or encrypted. */
MUST_CHECK bool wal_store_prove(const struct repo *r, const char *path,
                                const struct wal_rules *rules, struct wal_proven *out,
                                struct err *err);

/* Move a file to errors_dir/<base name>.<UTC stamp>.<why>, never over another one. */
MUST_CHECK bool wal_store_set_aside(const struct repo *r, const char *source, const char *why,
                                    char moved_to[PATH_CAP], struct err *err);
/* The same with another name than the source's. */
MUST_CHECK bool wal_store_set_aside_as(const struct repo *r, const char *source,
                                       const char *name, const char *why,
                                       char moved_to[PATH_CAP], struct err *err);

/* Where a WAL file can be had. Looked for in the archive, incoming, streaming, and in the
 * archive once more, since it may be moved while we look. With WAL_OR_PARTIAL, for a segment
 * that is nowhere whole, its ".partial" in streaming, then in the archive, then in incoming.
 * ERR_MISSING: nowhere. ERR_FORMAT: not a WAL file name. */
enum wal_want { WAL_WHOLE, WAL_OR_PARTIAL };
struct wal_found {
    const struct repo
        *repo; /* knows how to decrypt and what custom compression is; may be NULL */
    char path[PATH_CAP];
    bool is_partial; /* padded with zeros when read */
};
MUST_CHECK bool wal_find(const struct repo *r, const char *name, enum wal_want want,
                         struct wal_found *out, struct err *err);

/* Reading a WAL file of any place as plain WAL: decrypted and unpacked on the way. pad_to: with a partial
 * file, zeros are added up to that many bytes (0: none). */
struct wal_reader;
struct wal_reader *wal_reader_new(const struct wal_found *found, uint32_t pad_to,
                                  struct err *err);
void wal_reader_free(struct wal_reader *rd);
/* *got 0: the end. Less than cap is not the end. */
MUST_CHECK bool wal_read(struct wal_reader *rd, void *p, size_t cap, size_t *got,
                         struct err *err);
/* The same without unpacking: as it is stored, decrypted if it is encrypted. Not to be mixed with
 * wal_read() on one reader. */
MUST_CHECK bool wal_read_stored(struct wal_reader *rd, void *p, size_t cap, size_t *got,
                                struct err *err);
enum codec_kind wal_reader_codec(const struct wal_reader *rd);

/* A small one whole (a history file, a label), unpacked and decrypted, with a NUL behind it.
 * More than max bytes: ERR_FORMAT; not there: ERR_MISSING. */
MUST_CHECK bool wal_read_whole(const struct repo *r, struct arena *a, const char *path,
                               size_t max, struct str *out, struct err *err);

/* All of it into a descriptor; what: its name for messages. */
MUST_CHECK bool wal_send(const struct wal_found *found, uint32_t pad_to, int fd,
                         const char *what, struct err *err);

/* The newest archived segment of a timeline by what is on disk; "" when there is none. */
MUST_CHECK bool wal_newest(const struct repo *r, pg_tli tli, char out[WAL_FILE_NAME_CAP],
                           struct err *err);

#endif
