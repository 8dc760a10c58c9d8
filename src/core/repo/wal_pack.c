/* SPDX-License-Identifier: PostgreSQL */
#include "wal_pack.h"

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

struct whole {
    char *in, *out;
    size_t in_cap, out_cap;
};

/* Not zeroed: tens of megabytes that are about to be filled. */
static bool whole_new(struct whole *w, size_t in_cap, size_t out_cap, struct err *err)
{
    *w = (struct whole){malloc(in_cap), malloc(out_cap), in_cap, out_cap};
    return (w->in && w->out) || err_set(err, ERR_MEMORY, "", "", "out of memory");
}

static void whole_free(struct whole *w)
{
    free(w->in);
    free(w->out);
}

static bool pack_whole(const struct wal_pack *w, int from, const char *from_path, int to,
                       const char *to_path, struct err *err)
{
    size_t got = 0;
    struct codec_out out;
    struct whole mem;
    bool ok =
        whole_new(&mem, (size_t)w->size + 1, codec_whole_bound(w->pack, (size_t)w->size), err);

    ok = ok && fd_read_full(from, mem.in, mem.in_cap, &got, from_path, err);
    if (ok && got != w->size) {
        ok = err_set(err, ERR_FORMAT, "Look at what writes it; it was left where it is.",
                     from_path, "changes while it is archived");
    }
    out = (struct codec_out){mem.out, mem.out_cap, 0};
    ok = ok && codec_pack_whole(w->pack, w->level, str_n(mem.in, got), &out, err) &&
         fd_write_all(to, out.p, out.got, to_path, err);
    whole_free(&mem);
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
    if (w->size && w->size <= WHOLE_MAX && codec_whole_bound(w->pack, (size_t)w->size)) {
        return pack_whole(w, from, from_path, to, to_path, err);
    }
    c = codec_new(w->pack, CODEC_PACK, w->level, w->repo->custom, err);
    if (c) {
        codec_heed(c, w->cancel_fd);
    }
    ok = c && codec_pump(c, &ends, err);
    codec_free(c);
    return ok;
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
