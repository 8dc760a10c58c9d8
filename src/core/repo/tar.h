/* SPDX-License-Identifier: PostgreSQL */
/* tar.h - the tar stream of a base backup, fed in pieces of any size, and held to what
 * PostgreSQL sends.
 *
 *     header (512)  data, padded to 512  header  data ...  [two zero blocks]
 *
 * Kinds    regular file ('0' or NUL), directory ('5'), symbolic link ('2'). Everything else
 *          (hard link, device, fifo, pax and GNU extensions) is refused, naming the member.
 *          After tar_accept_pax() pax headers are read too, see tar_pax.h: what Python's tarfile
 *          writes, and with it barman-wal-archive.
 * Names    prefix/name of ustar. Refused: empty, absolute, "..", ".", "//" inside, bytes after
 *          the first NUL of a field that are not NUL. "./" in front and "/" behind are cut off.
 * Sizes    octal, or base-256 (first byte 0x80) for 8 GiB and more; negative, larger than
 *          2^62, or on a directory or link: refused.
 * Headers  The checksum must be right, the magic must be ustar's.
 * Trailer  13 and 14 end without the two zero blocks, 15 and later with them: say which, so
 *          that a stream cut at a member's end is noticed.
 * Errors   ERR_FORMAT with the member's name; a callback's failure is handed through.
 * Source   POSIX.1-2008 pax, "ustar Interchange Format"; PostgreSQL src/port/tar.c.
 */
#ifndef REPO_TAR_H
#define REPO_TAR_H

#include "tar_pax.h"

#define TAR_BLOCK    512
#define TAR_LINK_CAP 101

enum tar_kind { TAR_FILE, TAR_DIR, TAR_LINK };

struct tar_member {
    enum tar_kind kind;
    char name[TAR_NAME_CAP]; /* relative, clean: "base/5/1259" */
    char link[TAR_LINK_CAP]; /* TAR_LINK: its target, as sent */
    uint64_t size;           /* TAR_FILE */
    unsigned mode;           /* permission bits */
    int64_t mtime_s;
    uint32_t mtime_ns; /* of a pax header; otherwise 0 */
};

struct tar_events {
    void *ctx;
    bool (*member)(void *ctx, const struct tar_member *m, struct err *err);
    bool (*data)(void *ctx, const void *p, size_t n, struct err *err); /* of the file at hand */
    bool (*member_end)(void *ctx, struct err *err);                    /* after every member */
};

enum tar_trailer { TAR_BARE, TAR_WITH_TRAILER };

struct tar {
    struct tar_events events;
    enum tar_trailer trailer;
    struct tar_member member;
    uint8_t block[TAR_BLOCK]; /* a header in the making */
    size_t have;
    uint64_t left;  /* data bytes of the member still to come */
    size_t pad;     /* padding bytes still to come */
    unsigned zeros; /* zero blocks seen */
    uint64_t members;
    bool accepts_pax;
    char pax_type;  /* 'x' or 'g': the data at hand is that of such a header; 0: it is not */
    bool pax_given; /* the next member's header comes second to pax */
    struct tar_pax pax;
    char pax_text[TAR_PAX_MAX];
    size_t pax_n;
};

void tar_init(struct tar *t, enum tar_trailer trailer, const struct tar_events *events);
void tar_accept_pax(struct tar *t); /* right after tar_init() */
MUST_CHECK bool tar_feed(struct tar *t, const void *p, size_t n, struct err *err);
MUST_CHECK bool tar_end(struct tar *t, struct err *err); /* the stream is over: was it whole? */

#endif
