/* SPDX-License-Identifier: PostgreSQL */
#include "repo/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Opens the directory that path names just now, which is `at` bytes long. */
static bool push(struct tree *t, size_t at, struct err *err)
{
    int fd;

    if (t->depth == TREE_DEPTH_MAX || at + 2 > sizeof t->path) {
        return err_set(err, ERR_FORMAT, "", t->path, "directories too deep");
    }
    fd = open(t->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return err_os(err, errno, "open", t->path);
    }
    t->dir[t->depth] = fdopendir(fd);
    if (!t->dir[t->depth]) {
        int os = errno;
        close(fd);
        return err_os(err, os, "read", t->path);
    }
    t->path[at] = '/';
    t->path[at + 1] = '\0';
    t->dir_n[t->depth++] = at + 1;
    return true;
}

static void pop(struct tree *t)
{
    closedir(t->dir[--t->depth]);
}

bool tree_open(struct tree *t, const char *root, struct err *err)
{
    struct stat st;

    t->depth = 0;
    t->descend = false;
    if (!str_copy(t->path, sizeof t->path, root)) {
        return err_set(err, ERR_FORMAT, "", root, "path too long");
    }
    if (stat(root, &st) != 0) {
        return err_os(err, errno, "look at", root);
    }
    t->root_n = strlen(root) + 1;
    return push(t, strlen(root), err);
}

static enum tree_kind kind_of(mode_t mode)
{
    if (S_ISREG(mode)) {
        return TREE_FILE;
    }
    if (S_ISDIR(mode)) {
        return TREE_DIR;
    }
    return S_ISLNK(mode) ? TREE_LINK : TREE_OTHER;
}

/* The next name of the deepest directory; NULL at its end (errno 0) or on failure. */
static const char *next_name(struct tree *t)
{
    struct dirent *e;

    do {
        errno = 0;
        e = readdir(t->dir[t->depth - 1]);
    } while (e && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
    return e ? e->d_name : NULL;
}

bool tree_next(struct tree *t, struct tree_entry *out, struct err *err)
{
    if (t->descend) {
        t->descend = false;
        if (!push(t, strlen(t->path), err)) {
            return false;
        }
    }
    while (t->depth > 0) {
        size_t at = t->dir_n[t->depth - 1];
        const char *name = next_name(t);

        if (!name && errno != 0) {
            t->path[at] = '\0';
            return err_os(err, errno, "read", t->path);
        }
        if (!name) {
            pop(t);
            continue;
        }
        if (!str_copy(t->path + at, sizeof t->path - at, name)) {
            return err_set(err, ERR_FORMAT, "", t->path, "path too long");
        }
        if (fstatat(dirfd(t->dir[t->depth - 1]), name, &out->st, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT) {
                continue;
            }
            return err_os(err, errno, "look at", t->path);
        }
        out->kind = kind_of(out->st.st_mode);
        out->rel = t->path + t->root_n;
        t->descend = out->kind == TREE_DIR;
        return true;
    }
    out->kind = TREE_END;
    return true;
}

void tree_prune(struct tree *t)
{
    t->descend = false;
}

void tree_close(struct tree *t)
{
    while (t->depth > 0) {
        pop(t);
    }
}
