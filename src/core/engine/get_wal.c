/* SPDX-License-Identifier: PostgreSQL */
#include "get_wal.h"

#include "base/file.h"
#include "base/log.h"
#include "repo/mount.h"
#include "wal/page.h"
#include "wal/seg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SEG_INDEX_MAX                                                                          \
    4095 /* third field of the last segment of 4 GiB, with the smallest size */

#define HOST_CAP 128

#define STATUS_NOWHERE 1
#define STATUS_USAGE   3
#define STATUS_FAULT   126

/* What Barman puts behind its messages when the call came through SSH. */
static const char *behind(const struct get_wal *what, char text[HOST_CAP])
{
    text[0] = '\0';
    if (what->host) {
        str_fmt(text, HOST_CAP, " (SSH host: %s)", what->host);
    }
    return text;
}

/* Codes that only this verb gives: kept apart by the code, so that the status follows from it.
 */
static bool bad_name(const struct get_wal *what, struct err *err)
{
    char host[HOST_CAP];

    return err_set(err, ERR_USAGE,
                   "Ask for a segment, a .history, a .backup or a .partial file.", "",
                   "'%s' is not a valid wal file name%s", what->name, behind(what, host));
}

static bool not_found(const struct get_wal *what, struct err *err)
{
    char host[HOST_CAP];

    return err_set(err, ERR_MISSING, "", "", "WAL file '%s' not found in server '%s'%s",
                   what->name, what->repo->server, behind(what, host));
}

int get_wal_status(const struct err *err)
{
    return err->code == ERR_USAGE     ? STATUS_USAGE
           : err->code == ERR_MISSING ? STATUS_NOWHERE
                                      : STATUS_FAULT;
}

/* Only not_found() and bad_name() give their codes. */
static bool fault(struct err *err)
{
    if (err->code == ERR_MISSING || err->code == ERR_USAGE) {
        err->code = ERR_IO;
    }
    return false;
}

/* Is it nowhere, or only out of sight? */
static bool can_look(const struct get_wal *what, struct err *err)
{
    const struct repo *r = what->repo;
    char file[PATH_CAP], dir[PATH_CAP];
    const char *in[] = {r->wals_dir, r->incoming_dir, r->streaming_dir, dir};

    if (!repo_home_mounted(r, err) || !repo_wal_path(r, what->name, file, err)) {
        return false;
    }
    path_dir(file, dir);
    for (size_t i = 0; i < sizeof in / sizeof in[0]; i++) {
        if (access(in[i], R_OK | X_OK) != 0 && errno != ENOENT) {
            return err_os(err, errno, "look into", in[i]);
        }
    }
    return true;
}

/* How long a segment of this server is: the first page of the partial file says so, else the
 * newest backup does. Not known: the file is served as long as it is. */
static bool pad_of(const struct get_wal *what, const struct wal_found *found, uint32_t *pad,
                   struct err *err)
{
    struct wal_reader *rd;
    uint8_t head[WAL_PAGE_LONG];
    struct wal_rules rules;
    struct wal_page page;
    size_t got = 0;
    bool ok;

    *pad = 0;
    if (!found->is_partial) {
        return true;
    }
    rd = wal_reader_new(found, 0, err);
    ok = rd && wal_read(rd, head, sizeof head, &got, err);
    wal_reader_free(rd);
    if (!ok) {
        return false;
    }
    if (wal_page_decode(head, got, &page) == WAL_PAGE_OK && wal_seg_size_ok(page.seg_size)) {
        *pad = page.seg_size;
        return true;
    }
    ok = wal_rules_of(what->repo, &rules, err);
    *pad = ok ? rules.seg_size : 0;
    return ok;
}

static bool send_packed(struct wal_reader *rd, enum codec_kind kind, int fd, const char *to,
                        struct err *err)
{
    struct codec *c = codec_new(kind, CODEC_PACK, codec_level(kind, NULL), NULL, err);
    char in_mem[32768], out_mem[32768];
    bool ok = c != NULL, end = false;
    struct str in = {in_mem, 0};
    struct codec_out out = {.p = out_mem, .cap = sizeof out_mem};

    do {
        if (ok && in.n == 0 && !end) {
            size_t got = 0;

            ok = wal_read(rd, in_mem, sizeof in_mem, &got, err);
            in = str_n(in_mem, got);
            end = got == 0;
        }
        ok = ok && codec_run(c, &in, end ? CODEC_LAST : CODEC_MORE_COMES, &out, err) &&
             fd_write_all(fd, out_mem, out.got, to, err);
    } while (ok && !(end && out.got == 0));
    codec_free(c);
    return ok;
}

/* The bytes as they lie there, or decrypted. */
static bool send_raw(struct wal_reader *rd, int fd, const char *to, struct err *err)
{
    char buf[65536];
    size_t got = sizeof buf;

    while (got > 0) {
        if (!wal_read_stored(rd, buf, sizeof buf, &got, err) ||
            !fd_write_all(fd, buf, got, to, err)) {
            return false;
        }
    }
    return true;
}

static bool send_found(const struct get_wal *what, const struct wal_found *found, int fd,
                       const char *to, struct err *err)
{
    enum codec_kind want = what->flags & GET_GZIP    ? CODEC_GZIP
                           : what->flags & GET_BZIP2 ? CODEC_BZIP2
                                                     : CODEC_NONE;
    struct wal_reader *rd;
    uint32_t pad = 0;
    bool ok;

    if (!(what->flags & GET_AS_STORED) && !pad_of(what, found, &pad, err)) {
        return false;
    }
    if (want == CODEC_NONE && !(what->flags & GET_AS_STORED)) {
        return wal_send(found, pad, fd, to, err);
    }
    rd = wal_reader_new(found, pad, err);
    if (!rd) {
        return false;
    }
    ok = what->flags & GET_AS_STORED || (wal_reader_codec(rd) == want && !pad)
             ? send_raw(rd, fd, to, err)
             : send_packed(rd, want, fd, to, err);
    wal_reader_free(rd);
    return ok;
}

/* A file may be moved to the archive between finding and opening it: it is looked for again. */
static bool find_and_send(const struct get_wal *what, struct wal_found *found, int fd,
                          const char *to, struct err *err)
{
    for (int turn = 0;; turn++) {
        enum wal_want want = what->flags & GET_PARTIAL ? WAL_OR_PARTIAL : WAL_WHOLE;
        struct err one = {0};

        if (!wal_find(what->repo, what->name, want, found, &one)) {
            if (one.code == ERR_MISSING) {
                return can_look(what, err) ? not_found(what, err) : fault(err);
            }
            *err = one;
            return fault(err);
        }
        if (send_found(what, found, fd, to, &one)) {
            log_line(LOG_DEBUG, "sent WAL '%s' of server '%s'", found->path,
                     what->repo->server);
            return true;
        }
        if (one.code != ERR_MISSING || turn == 2) {
            *err = one;
            return fault(err);
        }
    }
}

/* directory/name through directory/.name.tmp, so that nobody ever sees a part of it. */
static bool to_directory(const struct task *t, const struct get_wal *what, struct err *err)
{
    char path[PATH_CAP], tmp[PATH_CAP], host[HOST_CAP];
    struct wal_found found;
    bool ok;
    int fd;

    if (!path_join(path, what->directory, what->name, err)) {
        return false;
    }
    if (!str_fmt(tmp, sizeof tmp, "%s/.%s.tmp", what->directory, what->name)) {
        return err_set(err, ERR_FORMAT, "Use a shorter directory.", path, "path is too long");
    }
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return err_set(err, ERR_USAGE, "Look at the directory.", "",
                       "Unable to open '%.120s' file%s: %s", path, behind(what, host),
                       strerror(errno));
    }
    ok = find_and_send(what, &found, fd, tmp, err) && fd_sync(fd, tmp, err);
    if (close(fd) != 0 && ok) {
        ok = err_os(err, errno, "close", tmp);
    }
    ok = ok && file_rename(tmp, path, err);
    if (!ok) {
        unlink(tmp);
        return false;
    }
    task_say(t, SAY_OUT, "Sending WAL '%s' for server '%s' into '%s' file%s",
             path_base(found.path), what->repo->server, path, behind(what, host));
    return true;
}

bool get_wal(const struct task *t, const struct get_wal *what, struct err *err)
{
    struct wal_found found;

    if (wal_name_kind(str_of(what->name), WAL_CASE_EITHER) == WAL_NAME_OTHER) {
        return bad_name(what, err);
    }
    if (!task_go_on(t, err)) {
        return false;
    }
    return what->directory ? to_directory(t, what, err)
                           : find_and_send(what, &found, what->fd, "standard output", err);
}

static bool power_of_two(uint64_t v)
{
    return v != 0 && (v & (v - 1)) == 0;
}

bool get_wal_peek(const struct task *t, const struct get_wal *what, uint64_t n, struct err *err)
{
    const char *name = what->name;
    bool is_segment = wal_name_kind(str_of(name), WAL_CASE_EITHER) == WAL_NAME_SEGMENT;
    uint64_t tli, log, seg;
    char next[WAL_FILE_NAME_CAP];

    if (wal_name_kind(str_of(name), WAL_CASE_EITHER) == WAL_NAME_OTHER) {
        return bad_name(what, err);
    }
    str_copy(next, sizeof next, name);
    while (n > 0) {
        struct wal_found found;
        struct err one = {0};

        if (!task_go_on(t, err)) {
            return false;
        }
        if (is_segment && (!str_hex_u64(str_n(next, 8), 0, &tli) ||
                           !str_hex_u64(str_n(next + 8, 8), 0, &log) ||
                           !str_hex_u64(str_n(next + 16, 8), 0, &seg))) {
            return bad_name(what, err);
        }
        if (wal_find(what->repo, next, WAL_WHOLE, &found, &one)) {
            task_say(t, SAY_OUT, "%s", next);
            n--;
            seg += is_segment;
        } else if (is_segment && power_of_two(seg) && log < UINT32_MAX) {
            log++; /* perhaps the end of these 4 GiB: their number of segments is a power of 2
                    */
            seg = 0;
        } else {
            break;
        }
        if (!is_segment || seg > SEG_INDEX_MAX + 1) {
            break;
        }
        str_fmt(next, sizeof next, "%08X%08X%08X", (unsigned)tli, (unsigned)log, (unsigned)seg);
    }
    return true;
}
