/* SPDX-License-Identifier: PostgreSQL */
/* codec.h - WAL and backups squeezed and unsqueezed as they stream by.
 *
 *     gzip pigz pygzip    RFC 1952; all three are the same on disk, as are
 *     bzip2 pybzip2       what bzip2 writes
 *     xz                  .xz, CRC-64
 *     zstd                frames with a checksum
 *     lz4                 frames with a checksum
 *     snappy              the framing format, one chunk for 64 KiB, each with its CRC-32C
 *     custom              two commands of the configuration, run by /bin/sh, stdin to stdout
 *
 * A kind is found by the first bytes of a file (codec_detect()), which cannot tell pigz and
 * pygzip from gzip, nor pybzip2 from bzip2. Several members or frames one after the other are
 * read as one.
 *
 * Ownership  codec_new() / codec_free(); the buffers are the caller's. struct codec_custom and
 *            its strings outlive the codec.
 * Errors     ERR_FORMAT for damaged input, ERR_MEMORY; a custom command that fails ERR_IO.
 * Source     RFC 1952; the magic numbers of the formats; snappy's framing_format.txt; Barman
 *            3.17 for names and levels.
 */
#ifndef REPO_CODEC_H
#define REPO_CODEC_H

#include "barkeep/err.h"
#include "barkeep/str.h"

#include <stddef.h>
#include <stdint.h>

/* In the order in which Barman tries the magic numbers. */
enum codec_kind {
    CODEC_NONE,
    CODEC_BZIP2,
    CODEC_CUSTOM,
    CODEC_GZIP,
    CODEC_LZ4,
    CODEC_PIGZ,
    CODEC_PYBZIP2,
    CODEC_PYGZIP,
    CODEC_SNAPPY,
    CODEC_XZ,
    CODEC_ZSTD,
};

#define CODEC_MAGIC_LEN 32 /* bytes that codec_detect() wants to see, fewer at end of file */

struct codec_custom {   /* what the configuration says */
    const char *pack;   /* custom_compression_filter; NULL: cannot pack */
    const char *unpack; /* custom_decompression_filter; NULL: cannot unpack */
    const char *path;   /* put in front of PATH; NULL: nothing */
    uint8_t magic[CODEC_MAGIC_LEN];
    size_t magic_len; /* 0: such files are not recognised */
};

const char *codec_name(enum codec_kind kind); /* "gzip", "" for none */
/* false: no such kind. "none" and "" are CODEC_NONE. */
bool codec_of_name(const char *name, enum codec_kind *out);
/* custom may be NULL. */
enum codec_kind codec_detect(const void *head, size_t n, const struct codec_custom *custom);
/* "0x1f8b" into magic; false when it is no such text, or longer than CODEC_MAGIC_LEN bytes. */
bool codec_magic_of(const char *text, struct codec_custom *out);

/* compression_level in the kind's own range: "low", "medium" (also NULL), "high", or a number,
 * which is brought into the range. */
int codec_level(enum codec_kind kind, const char *level);

enum codec_way { CODEC_PACK, CODEC_UNPACK };

struct codec;

/* level: as codec_level() gives it, only for CODEC_PACK. kind: not CODEC_NONE. custom: may be
 * NULL unless kind is CODEC_CUSTOM; without the command for that way: ERR_CONFIG. */
struct codec *codec_new(enum codec_kind kind, enum codec_way way, int level,
                        const struct codec_custom *custom, struct err *err);
void codec_free(struct codec *c);
/* A custom command is stopped when this descriptor becomes readable (a task's cancel_fd); it is
 * stopped anyway when it hangs (child.h). Other kinds do not wait for anything. */
void codec_heed(struct codec *c, int cancel_fd);

enum codec_input { CODEC_MORE_COMES, CODEC_LAST };

struct codec_out {
    void *p;
    size_t cap;
    size_t got;
};

/* Takes from *in (moving it forward) and fills out->p up to out->cap. got 0 with *in used up:
 * feed more, or, after CODEC_LAST, finished. Input that ends inside a stream is ERR_FORMAT. */
MUST_CHECK bool codec_run(struct codec *c, struct str *in, enum codec_input last,
                          struct codec_out *out, struct err *err);

/* Descriptor to descriptor, to the end of the input. */
struct codec_ends {
    int from, to;
    const char *from_name, *to_name; /* for messages */
};
MUST_CHECK bool codec_pump(struct codec *c, const struct codec_ends *ends, struct err *err);

/* Packing what lies in memory as a whole, one piece after the other: faster than the stream, and
 * what the library needs is made once. gzip (by libdeflate), zstd and lz4 have a way for that; each
 * piece becomes a member or a frame. A packer is used by one thread at a time. */
struct codec_whole;
bool codec_has_whole(enum codec_kind kind);
struct codec_whole *codec_whole_new(enum codec_kind kind, int level, struct err *err);
void codec_whole_free(struct codec_whole *w);
size_t codec_whole_bound(const struct codec_whole *w, size_t n); /* that n bytes may take */
MUST_CHECK bool codec_whole_pack(struct codec_whole *w, struct str in, struct codec_out *out,
                                 struct err *err);

/* Only gzip. false when it cannot be done so: the stream then tells what is wrong, if anything
 * is. */
bool codec_whole_unpack(enum codec_kind kind, struct str in, struct codec_out *out);

#endif
