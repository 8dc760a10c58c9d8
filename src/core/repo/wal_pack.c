/* SPDX-License-Identifier: PostgreSQL */
#include "wal_pack.h"

#include "base/sys.h"
#include "gpg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WHOLE_MAX (UINT64_C(64) << 20) /* larger ones are packed as a stream */

static bool copy_plain(int from, const char *from_path, int to, const char *to_path,
                       struct err *err)
{
    char buf[65536];
    size_t got;

    do {
        if (!fd_read_full(from, buf, sizeof buf, &got, from_path, err) ||
            !fd_write_all(to, buf, got, to_path, err)) {
            return false;
        }
    } while (got == sizeof buf);
    return true;
}

struct wal_room {
    char *in, *out;
    size_t in_cap, out_cap;
    struct codec_whole *packer; /* NULL: none yet */
    enum codec_kind kind;       /* of the packer */
    int level;
};

struct wal_room *wal_room_new(struct err *err)
{
    struct wal_room *room = calloc(1, sizeof *room);

    if (!room) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
    }
    return room;
}

void wal_room_free(struct wal_room *room)
{
    if (room) {
        codec_whole_free(room->packer);
        free(room->in);
        free(room->out);
        free(room);
    }
}

static bool space_new(char **p, size_t *cap, size_t want, struct err *err)
{
    if (*cap < want) {
        free(*p);
        *p = sys_large_new(want);
        *cap = *p ? want : 0;
    }
    return *p || err_set(err, ERR_MEMORY, "", "", "out of memory");
}

static bool have_packer(struct wal_room *room, const struct wal_pack *w, struct err *err)
{
    if (room->packer && (room->kind != w->pack || room->level != w->level)) {
        codec_whole_free(room->packer);
        room->packer = NULL;
    }
    if (!room->packer) {
        room->packer = codec_whole_new(w->pack, w->level, err);
        room->kind = w->pack;
        room->level = w->level;
    }
    return room->packer != NULL;
}

bool wal_pack_is_whole(enum codec_kind kind, uint64_t size)
{
    return size > 0 && size <= WHOLE_MAX && codec_has_whole(kind);
}

bool wal_room_fill(struct wal_room *room, int fd, const char *path, uint64_t size,
                   struct str *out, struct err *err)
{
    size_t n = (size_t)size, got;

    if (!space_new(&room->in, &room->in_cap, n + 1, err) ||
        !fd_read_full(fd, room->in, n + 1, &got, path, err)) {
        return false;
    }
    if (got != n) {
        return err_set(err, ERR_FORMAT, "Look at what writes it; it was left where it is.",
                       path, "changes while it is archived");
    }
    *out = str_n(room->in, n);
    return true;
}

static bool pack_whole(const struct wal_pack *w, int from, const char *from_path, int to,
                       const char *to_path, struct err *err)
{
    struct wal_room *room = w->room;
    struct codec_out out;
    struct str in = w->mem;

    if (!have_packer(room, w, err) ||
        !space_new(&room->out, &room->out_cap, codec_whole_bound(room->packer, (size_t)w->size),
                   err) ||
        (in.n == 0 && !wal_room_fill(room, from, from_path, w->size, &in, err))) {
        return false;
    }
    out = (struct codec_out){room->out, room->out_cap, 0};
    return codec_whole_pack(room->packer, in, &out, err) &&
           fd_write_all(to, out.p, out.got, to_path, err);
}

static bool not_the_same(struct err *err, const char *path, const char *why)
{
    return err_set(
        err, ERR_CONFIG,
        "Run it and custom_decompression_filter by hand on a WAL file; the status of a "
        "pipeline is that of its last command.",
        path, "custom_compression_filter succeeded, but %s", why);
}

/* Unpacked as a reader will, and held against the source. */
static bool unpacks_to(struct codec *c, const struct codec_ends *ends, struct err *err)
{
    char mem[32768], out_mem[32768], want[32768];
    struct codec_out out = {.p = out_mem, .cap = sizeof out_mem};
    struct str in = {mem, 0};
    bool end = false;
    size_t got = 0;

    while (!(end && out.got == 0 && in.n == 0)) {
        if (in.n == 0 && !end) {
            if (!fd_read_full(ends->to, mem, sizeof mem, &got, ends->to_name, err)) {
                return false;
            }
            in = str_n(mem, got);
            end = got < sizeof mem;
        }
        if (!codec_run(c, &in, end ? CODEC_LAST : CODEC_MORE_COMES, &out, err) ||
            !fd_read_full(ends->from, want, out.got, &got, ends->from_name, err)) {
            return false;
        }
        if (got != out.got || memcmp(want, out_mem, got) != 0) {
            return not_the_same(err, ends->from_name, "what it wrote is other WAL");
        }
    }
    return fd_read_full(ends->from, want, 1, &got, ends->from_name, err) &&
           (got == 0 || not_the_same(err, ends->from_name, "the end is not in what it wrote"));
}

/* A command of the configuration may write less than it took, or something that nobody will
 * recognise, and end well; the source is removed after that. */
static bool comes_back(const struct wal_pack *w, const struct codec_ends *ends, struct err *err)
{
    char head[CODEC_MAGIC_LEN];
    enum codec_kind kind;
    struct codec *c;
    size_t got;
    bool ok;

    if (lseek(ends->from, 0, SEEK_SET) != 0 || lseek(ends->to, 0, SEEK_SET) != 0) {
        return err_os(err, errno, "read", ends->to_name);
    }
    if (!fd_read_full(ends->to, head, sizeof head, &got, ends->to_name, err)) {
        return false;
    }
    kind = codec_detect(head, got, w->repo->custom);
    if (kind == CODEC_NONE) {
        return not_the_same(err, ends->from_name,
                            "what it wrote does not begin with custom_compression_magic");
    }
    if (lseek(ends->to, 0, SEEK_SET) != 0) {
        return err_os(err, errno, "read", ends->to_name);
    }
    c = codec_new(kind, CODEC_UNPACK, 0, w->repo->custom, err);
    if (c) {
        codec_heed(c, w->cancel_fd);
    }
    ok = c && unpacks_to(c, ends, err);
    codec_free(c);
    return ok;
}

static bool pack(const struct wal_pack *w, int from, const char *from_path, int to,
                 const char *to_path, struct err *err)
{
    struct codec_ends ends = {from, to, from_path, to_path};
    struct codec *c;
    bool ok;

    if (w->pack == CODEC_NONE) {
        return copy_plain(from, from_path, to, to_path, err);
    }
    if (wal_pack_is_whole(w->pack, w->size)) {
        return pack_whole(w, from, from_path, to, to_path, err);
    }
    c = codec_new(w->pack, CODEC_PACK, w->level, w->repo->custom, err);
    if (c) {
        codec_heed(c, w->cancel_fd);
    }
    ok = c && codec_pump(c, &ends, err);
    codec_free(c);
    return ok && (w->pack != CODEC_CUSTOM || comes_back(w, &ends, err));
}

static bool seal(const struct wal_pack *w, int from, const char *from_path, int to,
                 struct err *err)
{
    static const struct gpg none = {.cancel_fd = -1};

    return lseek(from, 0, SEEK_SET) == 0
               ? gpg_encrypt(w->repo->gpg ? w->repo->gpg : &none, from, to, from_path, err)
               : err_os(err, errno, "read", from_path);
}

bool wal_pack_copy(const struct wal_pack *w, int from, const char *from_path, int to,
                   const char *to_path, struct err *err)
{
    char between[PATH_CAP];
    int fd;
    bool ok;

    if (w->seal == WAL_UNSEALED) {
        return pack(w, from, from_path, to, to_path, err);
    }
    if (w->pack == CODEC_NONE) {
        return seal(w, from, from_path, to, err);
    }
    if (!str_fmt(between, sizeof between, "%s.seal", to_path)) {
        return err_set(err, ERR_FORMAT, "Use a shorter directory.", to_path,
                       "path is too long");
    }
    fd = open(between, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return err_os(err, errno, "create", between);
    }
    unlink(between);
    ok = pack(w, from, from_path, fd, between, err) && seal(w, fd, from_path, to, err);
    close(fd);
    return ok;
}
