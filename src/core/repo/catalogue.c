/* SPDX-License-Identifier: PostgreSQL */
#include "catalogue.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INFO_SUFFIX "-backup.info"

static int by_id(const void *x, const void *y)
{
    return strcmp(x, y);
}

/* Only asked for a backup that has no file in meta/. */
static bool has_old_info(const struct repo *r, const char *id)
{
    char path[PATH_CAP];
    struct err ignored;

    return backup_id_ok(id) && repo_info_legacy_path(r, id, path, &ignored) &&
           access(path, F_OK) == 0;
}

/* The ids that have a file in meta/, or a directory with a backup.info in base/. */
static bool collect(const struct repo *r, struct arena *a, char (**ids)[BACKUP_ID_CAP],
                    size_t *n, struct err *err)
{
    struct names meta, base;
    size_t in_meta;

    if (!dir_names(a, r->meta_dir, DIR_MAY_MISS, &meta, err) ||
        !dir_names(a, r->base_dir, DIR_MAY_MISS, &base, err)) {
        return false;
    }
    *n = 0;
    *ids = arena_array(a, meta.n + base.n + 1, BACKUP_ID_CAP);
    if (!*ids) {
        return arena_err(a, err);
    }
    for (size_t i = 0; i < meta.n; i++) { /* in order, so the ids are too */
        struct str name = str_of(meta.name[i]);
        char *id = (*ids)[*n];

        if (name.n == BACKUP_ID_LEN + sizeof INFO_SUFFIX - 1 && str_ends(name, INFO_SUFFIX)) {
            memcpy(id, name.p, BACKUP_ID_LEN);
            id[BACKUP_ID_LEN] = '\0';
            *n += backup_id_ok(id);
        }
    }
    in_meta = *n;
    for (size_t i = 0; i < base.n; i++) {
        char id[BACKUP_ID_CAP];

        if (str_copy(id, sizeof id, base.name[i]) &&
            !bsearch(id, *ids, in_meta, BACKUP_ID_CAP, by_id) && has_old_info(r, id)) {
            memcpy((*ids)[(*n)++], id, sizeof id);
        }
    }
    qsort(*ids, *n, BACKUP_ID_CAP, by_id);
    return true;
}

bool catalogue_look(const struct repo *r, struct arena *a, struct catalogue *out,
                    struct err *err)
{
    struct catalogue c = {0};
    char(*ids)[BACKUP_ID_CAP];
    struct backup *list;
    size_t n;

    if (!collect(r, a, &ids, &n, err)) {
        return false;
    }
    list = ARENA_ARRAY(a, n + 1, struct backup);
    if (!list) {
        return arena_err(a, err);
    }
    for (size_t i = 0; i < n; i++) {
        struct err one = {0};

        if (backup_info_load(r, a, ids[i], &list[c.n], &one)) {
            c.n++;
        } else if (one.code == ERR_MEMORY || a->failed) {
            *err = one;
            return false;
        } else if (one.code != ERR_MISSING && c.unread++ == 0) { /* missing: deleted since */
            struct err *why = ARENA_NEW(a, struct err);
            if (!why) {
                return arena_err(a, err);
            }
            *why = one;
            c.why = why;
        }
    }
    c.backup = list;
    *out = c;
    return true;
}

bool catalogue_load(const struct repo *r, struct arena *a, struct catalogue *out,
                    struct err *err)
{
    struct catalogue c;

    if (!catalogue_look(r, a, &c, err)) {
        return false;
    }
    if (c.unread) {
        *err = *c.why;
        return false;
    }
    *out = c;
    return true;
}

const struct backup *catalogue_find(const struct catalogue *c, const char *id)
{
    size_t low = 0, high = c->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(c->backup[mid].id, id);

        if (order == 0) {
            return &c->backup[mid];
        }
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

bool backup_is_orphan(const struct repo *r, const struct backup *b)
{
    bool orphan = true;
    char path[PATH_CAP];
    struct err ignored;
    struct dirent *d;
    DIR *dir;

    if (b->status == BACKUP_EMPTY || !repo_backup_dir(r, b->id, path, &ignored)) {
        return false;
    }
    dir = opendir(path);
    if (!dir) {
        return errno == ENOENT;
    }
    errno = 0;
    while (orphan && (d = readdir(dir))) {
        orphan = strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
                 strcmp(d->d_name, "backup.info") == 0;
    }
    orphan = orphan && errno == 0;
    closedir(dir);
    return orphan;
}

static bool any_copy_done(const struct backup *b)
{
    return backup_copy_done(b);
}

static bool failed(const struct backup *b)
{
    return b->status == BACKUP_FAILED;
}

static bool full(const struct backup *b)
{
    enum backup_type type = backup_type_of(b);

    return backup_copy_done(b) && (type == BACKUP_FULL || type == BACKUP_RSYNC);
}

enum end { OLDEST, NEWEST };

static const struct word {
    const char *text;
    enum end end;
    bool (*fits)(const struct backup *b); /* NULL: reserved, but names no backup here */
} words[] = {
    {"latest", NEWEST, any_copy_done}, {"last", NEWEST, any_copy_done},
    {"oldest", OLDEST, any_copy_done}, {"first", OLDEST, any_copy_done},
    {"last-failed", NEWEST, failed},   {"latest-full", NEWEST, full},
    {"last-full", NEWEST, full},       {"auto", NEWEST, NULL},
};

static const struct word *word_of(const char *text)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].text, text) == 0) {
            return &words[i];
        }
    }
    return NULL;
}

bool catalogue_word_reserved(const char *word)
{
    return word_of(word) != NULL;
}

static const struct backup *by_word(const struct catalogue *c, const struct word *w)
{
    for (size_t i = 0; w->fits && i < c->n; i++) {
        const struct backup *b = &c->backup[w->end == OLDEST ? i : c->n - 1 - i];

        if (w->fits(b)) {
            return b;
        }
    }
    return NULL;
}

/* By name. Two of one name are told by their ids. */
static bool by_name(const struct catalogue *c, const char *name, const struct backup **out,
                    struct err *err)
{
    char ids[200];
    struct sbuf list;
    size_t found = 0;

    sbuf_init(&list, ids, sizeof ids);
    for (size_t i = 0; i < c->n; i++) {
        const struct backup *b = &c->backup[i];

        if (backup_copy_done(b) && b->backup_name && strcmp(b->backup_name, name) == 0) {
            sbuf_fmt(&list, "%s%s", found ? ", " : "", b->id);
            *out = b;
            found++;
        }
    }
    if (found > 1) {
        return err_set(err, ERR_FORMAT, "Name one of them by its id.", name,
                       "more than one backup has that name: %s%s", ids,
                       sbuf_ok(&list) ? "" : " ...");
    }
    return true;
}

bool catalogue_resolve(const struct catalogue *c, const char *server, const char *word,
                       const struct backup **out, struct err *err)
{
    const struct word *w = word_of(word);
    const struct backup *b = NULL;

    if (w) {
        b = by_word(c, w);
    } else if (backup_id_ok(word)) {
        b = catalogue_find(c, word);
    } else if (!by_name(c, word, &b, err)) {
        return false;
    }
    if (!b && c->unread) { /* it may be that one */
        *err = *c->why;
        return false;
    }
    if (!b) {
        return err_set(err, ERR_MISSING, "List the backups to see which there are.", "",
                       "Unknown backup '%.100s' for server '%.100s'", word, server);
    }
    *out = b;
    return true;
}

const struct backup *catalogue_previous(const struct catalogue *c, const char *id)
{
    for (size_t i = c->n; i-- > 0;) {
        if (strcmp(c->backup[i].id, id) < 0 && backup_copy_done(&c->backup[i])) {
            return &c->backup[i];
        }
    }
    return NULL;
}

const struct backup *catalogue_next(const struct catalogue *c, const char *id)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->backup[i].id, id) > 0 && backup_copy_done(&c->backup[i])) {
            return &c->backup[i];
        }
    }
    return NULL;
}
