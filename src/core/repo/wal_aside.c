/* SPDX-License-Identifier: PostgreSQL */
/* What cannot be archived is moved to errors/, never over another file. */
#include "base/clock.h"
#include "wal_pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A hard link is refused across file systems, by some file systems at all, and for files of
 * other users. */
bool wal_link_impossible(int os)
{
    return os == EXDEV || os == EPERM || os == EOPNOTSUPP || os == EMLINK || os == ENOSYS;
}

static bool copy_aside(const char *source, const char *to, struct err *err)
{
    char buf[65536];
    size_t got = sizeof buf;
    int in = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int out = in >= 0 ? open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    bool ok = out >= 0 ? true : err_os(err, errno, "move aside", source);

    while (ok && got == sizeof buf) {
        ok = fd_read_full(in, buf, sizeof buf, &got, source, err) &&
             fd_write_all(out, buf, got, to, err);
    }
    ok = ok && fd_sync(out, to, err);
    if (in >= 0) {
        close(in);
    }
    if (out >= 0) {
        close(out);
        if (!ok) {
            unlink(to);
        }
    }
    return ok;
}

/* Never over another one: two of one name within a second get neighbouring stamps. */
struct aside {
    const char *source, *name, *dir, *why;
};

static bool move_aside(const struct aside *a, int64_t now_us, char to[PATH_CAP],
                       struct err *err)
{
    const char *source = a->source;

    for (int turn = 0; turn < 60; turn++) {
        struct civil c = civil_at(now_us + turn * US_PER_S, 0);

        if (!str_fmt(to, PATH_CAP, "%s/%s.%04d%02d%02dT%02d%02d%02dZ.%s", a->dir, a->name,
                     c.year, c.month, c.day, c.hour, c.minute, c.second, a->why)) {
            return err_set(err, ERR_FORMAT, "Rename it.", source, "name is too long");
        }
        if (file_kind(to, NULL) != FILE_NONE) {
            continue;
        }
        if (link(source, to) == 0) {
            return true;
        }
        /* A directory cannot be linked, but renamed. */
        if (wal_link_impossible(errno)) {
            return rename(source, to) == 0 || copy_aside(source, to, err);
        }
        if (errno != EEXIST) {
            return err_os(err, errno, "move aside", source);
        }
    }
    return err_set(err, ERR_IO, "Look at what is delivered again and again.", source,
                   "cannot be set aside 60 times a minute");
}

bool wal_store_set_aside(const struct repo *r, const char *source, const char *why,
                         char moved_to[PATH_CAP], struct err *err)
{
    return wal_store_set_aside_as(r, source, path_base(source), why, moved_to, err);
}

bool wal_store_set_aside_as(const struct repo *r, const char *source, const char *name,
                            const char *why, char moved_to[PATH_CAP], struct err *err)
{
    const struct aside a = {source, name, r->errors_dir, why};

    if (!dir_make(r->errors_dir, err) ||
        !move_aside(&a, clock_wall_ns() / 1000, moved_to, err) ||
        !dir_sync(r->errors_dir, err)) {
        return false;
    }
    return unlink(source) == 0 || errno == ENOENT ? true : err_os(err, errno, "remove", source);
}
