/* SPDX-License-Identifier: PostgreSQL */
#include "desk_in.h"
#include "saved.h"

#include "barkeep/snapshot.h"
#include "base/clock.h"
#include "base/log.h"
#include "cfg/config.h"
#include "repo/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool seen_path(const struct desk *desk, char out[PATH_CAP], struct err *err)
{
    return path_join(out, desk->spec.config->barman_home, ".barkeep/seen", err);
}

/* ---- load ---- */

static void put_snapshot(struct desk *desk, struct snapshot *s, uint32_t index)
{
    struct news news = {.kind = NEWS_SNAPSHOT, .snapshot = s};

    s->index = index;
    road_put(desk->road, desk->thread.worker, &news);
}

static void take_entry(struct desk *desk, struct str entry)
{
    const struct config *config = desk->spec.config;
    const struct server_cfg *srv;
    struct snapshot *s;
    struct looked *l;
    struct err err;

    s = saved_snapshot(entry, &err);
    if (!s) {
        log_line(LOG_WARNING, "an entry of what was seen is not used: %s", err.why);
        return;
    }
    srv = config_server(config, s->server);
    l = srv ? &desk->look.server[srv - config->server] : NULL;
    if (!l || l->saved) { /* no longer configured, or a second one */
        snapshot_free(s);
        return;
    }
    l->saved = str_new(entry);
    put_snapshot(desk, s, (uint32_t)(srv - config->server));
}

static void take_file(struct desk *desk, struct str text)
{
    struct saved_file file;
    struct str entry;
    struct err err;

    if (!saved_open(&file, text, &err)) {
        log_line(LOG_WARNING, "what was seen before is not used: %s", err.why);
        return;
    }
    while (saved_next(&file, &entry) && !desk_is_stopping(desk)) {
        take_entry(desk, entry);
    }
}

/* A server that was never seen. */
static void take_unseen(struct desk *desk, uint32_t index)
{
    char text[256];
    struct sbuf b;
    struct snapshot *s;
    struct err err;

    sbuf_init(&b, text, sizeof text);
    sbuf_fmt(&b, "server\tname=%s\tlight=%d\nlive\n", desk->spec.config->server[index].name,
             LIGHT_WAIT);
    s = sbuf_ok(&b) ? saved_snapshot(str_of(text), &err) : NULL;
    if (s) {
        put_snapshot(desk, s, index);
    }
}

/* Called before the first looker is there, so nobody else touches the servers. */
void seen_load(struct desk *desk)
{
    char path[PATH_CAP];
    struct arena a;
    struct str text;
    struct err err;

    arena_init(&a, SAVED_MAX + 4096);
    if (seen_path(desk, path, &err) && file_read(&a, path, SAVED_MAX, &text, &err)) {
        take_file(desk, text);
    } else if (err.code != ERR_MISSING) {
        log_line(LOG_WARNING, "what was seen before is not used: %s", err.why);
    }
    arena_release(&a);
    for (uint32_t i = 0; i < desk->look.servers && !desk_is_stopping(desk); i++) {
        if (!desk->look.server[i].saved) {
            take_unseen(desk, i);
        }
    }
}

/* ---- save ---- */

static size_t entries_size(const struct desk_look *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->servers; i++) {
        n += l->server[i].saved ? strlen(l->server[i].saved) : 0;
    }
    return n;
}

/* The whole file; false: no memory, or more than may be read again. */
static bool make_text(struct arena *a, struct desk_look *l, struct str *out)
{
    size_t cap = entries_size(l) + 128;
    char *mem = cap > SAVED_MAX ? NULL : arena_alloc(a, cap);
    unsigned servers = 0;
    struct sbuf b;

    if (!mem) {
        return false;
    }
    sbuf_init(&b, mem, cap);
    sbuf_add(&b, SAVED_HEAD);
    for (size_t i = 0; i < l->servers; i++) {
        if (l->server[i].saved) {
            sbuf_add(&b, l->server[i].saved);
            servers++;
        }
    }
    sbuf_fmt(&b, "end\tservers=%u\n", servers);
    *out = str_n(mem, b.len);
    return sbuf_ok(&b);
}

/* Whole or not at all for whoever reads it now. It is not synced: after a power cut an old file
 * or a torn one, which is refused, costs nothing, and a sync may take longer than the end may. */
static bool replace(const char *path, struct str text, struct err *err)
{
    char temp[PATH_CAP], dir[PATH_CAP];
    int fd;
    bool ok;

    path_dir(path, dir);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        return err_os(err, errno, "make the directory", dir);
    }
    if (!str_fmt(temp, sizeof temp, "%s.tmp", path)) {
        return err_set(err, ERR_FORMAT, "", path, "the path is too long");
    }
    fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return err_os(err, errno, "create", temp);
    }
    ok = fd_write_all(fd, text.p, text.n, temp, err);
    close(fd);
    return ok && (rename(temp, path) == 0 || err_os(err, errno, "rename", temp));
}

void seen_save(struct desk *desk)
{
    struct desk_look *l = &desk->look;
    char path[PATH_CAP];
    struct str text;
    struct arena a;
    struct err err;
    bool made = false, must;

    arena_init(&a, SAVED_MAX + 4096);
    pthread_mutex_lock(&l->lock);
    must = l->must_save;
    if (must) {
        made = make_text(&a, l, &text);
        l->must_save = false;
    }
    pthread_mutex_unlock(&l->lock);
    if (made && !(place_mounted(desk->spec.config->barman_home, &err) &&
                  seen_path(desk, path, &err) && replace(path, text, &err))) {
        log_line(LOG_WARNING, "what was seen is not saved: %s", err.why);
    }
    arena_release(&a);
}
