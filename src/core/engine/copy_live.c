/* SPDX-License-Identifier: PostgreSQL */
/* copy_live.c - is what passes for a copy the original itself, or does it share a place with it? */
#include "base/clock.h"
#include "cfg/server.h"
#include "engine/copy_in.h"
#include "engine/repo_of.h"
#include "repo/backup_info.h"
#include "repo/catalogue.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool copy_is_local(const char *conninfo)
{
    char host[1024], own[256];

    if (!conninfo || (!pg_conninfo_value(conninfo, "host", host, sizeof host) &&
                      !pg_conninfo_value(conninfo, "hostaddr", host, sizeof host))) {
        return true; /* a socket of this host, or not known: better refused once too often */
    }
    if (host[0] == '/' || host[0] == '@' || host[0] == '\0' || strcmp(host, "localhost") == 0 ||
        strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0) {
        return true;
    }
    return gethostname(own, sizeof own) == 0 && strcmp(own, host) == 0;
}

static bool same_place(const char *x, const char *y)
{
    struct stat a, b;

    return x && y && stat(x, &a) == 0 && stat(y, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* false: it does not answer. */
static bool ask_live(const struct task *t, const char *conninfo, const char *sql,
                     struct pg_rows *rows)
{
    struct task near = *t;
    struct pg_target target = {.conninfo = conninfo};
    int64_t by = clock_mono_ns() + 5 * NS_PER_S;
    struct err ignored;
    struct pg *pg;
    bool ok;

    *rows = (struct pg_rows){0};
    if (!conninfo) {
        return false;
    }
    near.deadline_ns = near.deadline_ns && near.deadline_ns < by ? near.deadline_ns : by;
    pg = pg_open(&near, &target, &ignored);
    ok = pg && pg_query(pg, &near, sql, NULL, rows, &ignored);
    pg_close(pg);
    return ok;
}

const char *copy_live_directory(const struct task *t, struct arena *a, const char *conninfo)
{
    const char *found = NULL;
    struct pg_rows rows;

    if (ask_live(t, conninfo, "SELECT pg_catalog.current_setting('data_directory')", &rows)) {
        found = rows.rows ? pg_text(&rows, 0, 0) : NULL;
        found = found ? arena_strdup(a, found) : NULL;
    }
    pg_rows_clear(&rows);
    return found;
}

/* Recovery puts a tablespace that the WAL creates where the original has it: no backup need know of
 * that one. */
static bool shares_space(const struct task *t, const char *conninfo, const struct copy_home *h,
                         const char **what)
{
    struct pg_rows rows = {0};
    bool found = false;

    if (h->facts.spaces &&
        ask_live(t, conninfo,
                 "SELECT pg_catalog.pg_tablespace_location(oid) FROM pg_catalog.pg_tablespace",
                 &rows)) {
        for (int i = 0; i < rows.rows && !found; i++) {
            const char *at = pg_text(&rows, i, 0);
            for (size_t k = 0; at && at[0] == '/' && k < h->facts.spaces && !found; k++) {
                *what = h->facts.space[k].path;
                found = same_place(at, *what);
            }
        }
    }
    pg_rows_clear(&rows);
    return found;
}

/* The backup's own words on where the original kept its data. */
static bool read_info(struct arena *a, const struct copy_home *h, struct backup *out)
{
    char path[PATH_CAP];
    struct str text;
    struct err err;

    *out = (struct backup){0};
    return path_join(path, h->dest, ".barman-recover.info", &err) &&
           file_read(a, path, BACKUP_INFO_MAX, &text, &err) &&
           backup_info_parse(a, text, path, out, &err);
}

/* Is its place, or one of a tablespace, where that backup comes from? */
static bool lies_in(const struct backup *b, const struct copy_home *h, const char **what)
{
    *what = h->dest;
    if (same_place(h->dest, b->pgdata)) {
        return true;
    }
    for (size_t i = 0; i < b->tablespaces; i++) {
        for (size_t k = 0; k < h->facts.spaces; k++) {
            if (same_place(b->tablespace[i].location, h->facts.space[k].path)) {
                *what = h->facts.space[k].path;
                return true;
            }
        }
    }
    return false;
}

/* Also that of a later backup: a copy may have been made the server since. */
static bool is_of_a_backup(struct arena *a, const struct server_cfg *srv,
                           const struct copy_home *h, const char **what)
{
    struct catalogue c;
    struct repo repo;
    struct err ignored;

    if (!repo_of(a, srv, srv->backup_directory, srv->backup_directory, &repo, &ignored) ||
        !catalogue_look(&repo, a, &c, &ignored)) {
        return false;
    }
    for (size_t i = 0; i < c.n; i++) {
        if (lies_in(&c.backup[i], h, what)) {
            return true;
        }
    }
    return false;
}

bool copy_is_live(const struct task *t, struct arena *a, const struct server_cfg *srv,
                  const struct copy_home *h, const char **what)
{
    struct backup info;
    const char *live;
    bool has_info = read_info(a, h, &info);

    if (!copy_is_local(srv->conninfo)) {
        return false;
    }
    live = copy_live_directory(t, a, srv->conninfo);
    *what = h->dest;
    if (same_place(h->dest, live)) {
        return true;
    }
    return shares_space(t, srv->conninfo, h, what) || (has_info && lies_in(&info, h, what)) ||
           is_of_a_backup(a, srv, h, what);
}
