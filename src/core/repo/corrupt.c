/* SPDX-License-Identifier: PostgreSQL */
#include "repo/corrupt.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NAME ".barkeep/corrupt"

static bool path_of(const struct repo *r, const char *id, char out[PATH_CAP], struct err *err)
{
    char dir[PATH_CAP];

    return repo_backup_dir(r, id, dir, err) && path_join(out, dir, NAME, err);
}

bool corrupt_read(const struct repo *r, struct arena *a, const char *id, struct corrupt *out,
                  struct err *err)
{
    char path[PATH_CAP];
    struct err missing = {0};
    struct str text, line, name;

    *out = (struct corrupt){0};
    if (!path_of(r, id, path, err)) {
        return false;
    }
    if (!file_read(a, path, CORRUPT_MAX, &text, &missing)) {
        if (missing.code == ERR_MISSING) {
            return true;
        }
        *err = missing;
        return false;
    }
    while (str_line(&text, &line)) {
        if (out->files++ == 0) {
            out->first = str_split(&line, '\t', &name) ? arena_strndup(a, name.p, name.n)
                                                       : arena_strndup(a, line.p, line.n);
        }
    }
    return !a->failed || arena_err(a, err);
}

bool backup_is_corrupt(const struct repo *r, const char *id)
{
    char path[PATH_CAP];
    struct err unheard;
    uint64_t size = 0;

    return path_of(r, id, path, &unheard) && file_kind(path, &size) == FILE_REGULAR && size > 0;
}

/* --- making it --- */

void corrupt_list_init(struct corrupt_list *l, const char *dir)
{
    *l = (struct corrupt_list){.fd = -1};
    str_copy(l->dir, sizeof l->dir, dir);
}

/* The first name in double quotes, without "./" in front. */
static struct str name_in(const char *text)
{
    const char *from = strchr(text, '"'), *to = from ? strchr(from + 1, '"') : NULL;
    struct str name = to ? str_n(from + 1, (size_t)(to - from - 1)) : str_of("?");

    str_take_lit(&name, "./");
    return name;
}

bool corrupt_list_add(struct corrupt_list *l, const char *text, struct err *err)
{
    struct str name = name_in(text);
    char path[PATH_CAP], line[2048];
    struct sbuf b;

    if (str_eq(name, l->last)) {
        return true;
    }
    if (!path_join(path, l->dir, NAME, err)) {
        return false;
    }
    if (l->fd < 0) {
        l->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (l->fd < 0) {
            return err_os(err, errno, "make", path);
        }
    }
    sbuf_init(&b, line, sizeof line - 1);
    sbuf_fmt(&b, "%.*s\t%s", (int)name.n, name.p, text);
    b.p[b.len++] = '\n';
    str_fmt(l->last, sizeof l->last, "%.*s", (int)name.n, name.p);
    l->files++;
    return fd_write_all(l->fd, line, b.len, path, err);
}

bool corrupt_list_end(struct corrupt_list *l, struct err *err)
{
    char path[PATH_CAP];

    return l->fd < 0 || (path_join(path, l->dir, NAME, err) && fd_sync(l->fd, path, err) &&
                         path_join(path, l->dir, ".barkeep", err) && dir_sync(path, err));
}

void corrupt_list_drop(struct corrupt_list *l)
{
    char path[PATH_CAP];
    struct err unheard;

    if (l->fd >= 0 && path_join(path, l->dir, NAME, &unheard)) {
        unlink(path);
    }
    corrupt_list_release(l);
}

void corrupt_list_release(struct corrupt_list *l)
{
    if (l->fd >= 0) {
        close(l->fd);
    }
    l->fd = -1;
}
