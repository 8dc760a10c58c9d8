/* SPDX-License-Identifier: PostgreSQL */
#include "engine/config_change.h"

#include "base/sys.h"
#include "cfg/edit.h"
#include "engine/config_queue.h"
#include "repo/lock.h"
#include "repo/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AUTO_FILE ".barman.auto.conf"
#define NEW_MODE  0600

struct updating {
    const struct task *t;
    const struct config_change *what;
    const char *queue; /* path */
};

/* ---- what is asked for ---- */

static bool wrong(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool wrong(struct err *err, const char *fmt, ...)
{
    char text[sizeof err->why];
    struct sbuf b;
    va_list ap;

    sbuf_init(&b, text, sizeof text);
    va_start(ap, fmt);
    sbuf_vfmt(&b, fmt, ap);
    va_end(ap);
    return err_set(err, ERR_CONFIG, "Nothing was changed.", "", "%s", text);
}

static bool name_ok(const char *name)
{
    return name[0] && !strpbrk(name, "[]\r\n") && strcmp(name, "barman") != 0 &&
           strcmp(name, "all") != 0 && strcmp(name, "DEFAULT") != 0;
}

static const char *member(const struct config_set *set, const char *key)
{
    for (const struct config_item *i = set->item; i; i = i->next) {
        if (strcmp(i->key, key) == 0) {
            return i->value;
        }
    }
    return NULL;
}

/* Which section, and is it one of that kind? */
static bool check_section(const struct config *cfg, struct config_set *set, bool is_model,
                          struct err *err)
{
    const char *key = is_model ? "model_name" : "server_name", *name = member(set, key);

    if (!name) {
        return wrong(err, "Invalid section: '%s' is missing.", key);
    }
    if (!name_ok(name)) {
        return wrong(err, "Invalid section: '%.64s' cannot be the name of a section.", name);
    }
    if (is_model ? config_server(cfg, name) != NULL : config_model(cfg, name) != NULL) {
        return wrong(err, "Invalid section: '%.64s' is a %s, not a %s.", name,
                     is_model ? "server" : "model", is_model ? "model" : "server");
    }
    if (is_model && !config_model(cfg, name) && !member(set, "cluster")) {
        return wrong(err, "Invalid section: '%.64s' is a new model but 'cluster' is missing.",
                     name);
    }
    set->section = name;
    return true;
}

static bool check_item(const struct config_set *set, const struct config_item *i, bool is_model,
                       struct err *err)
{
    const struct option *o = option_find(str_of(i->key));
    const char *scope = is_model ? "model" : "server";

    if (!o || !strchr(o->scope, is_model ? 'M' : 'S')) {
        return wrong(err, "Invalid option '%.64s' for %s '%.64s'", i->key, scope, set->section);
    }
    if (!i->value || strpbrk(i->value, "\r\n") || !config_value_ok(o, i->value)) {
        return wrong(err,
                     "Validation failed for %s '%.64s': the value of key '%s' cannot be one",
                     scope, set->section, o->name);
    }
    return true;
}

/* Takes out what is no option: scope and name. */
static bool take_options(struct config_set *set, bool is_model, struct err *err)
{
    struct config_item **at = &set->item;

    while (*at) {
        struct config_item *i = *at;

        if (strcmp(i->key, "scope") == 0 ||
            strcmp(i->key, is_model ? "model_name" : "server_name") == 0) {
            *at = i->next;
            continue;
        }
        if (!check_item(set, i, is_model, err)) {
            return false;
        }
        at = &i->next;
    }
    return true;
}

static bool check_set(const struct updating *u, struct config_set *set, struct err *err)
{
    const struct config *cfg = u->what->cfg;
    const char *scope = member(set, "scope");
    bool is_model = scope && strcmp(scope, "model") == 0, is_new;

    if (!is_model && (!scope || strcmp(scope, "server") != 0)) {
        return wrong(err,
                     "Invalid section: 'scope' is invalid: '%.64s'. It should be either "
                     "'server' or 'model'.",
                     scope ? scope : "None");
    }
    if (!check_section(cfg, set, is_model, err) || !take_options(set, is_model, err)) {
        return false;
    }
    is_new = is_model && !config_model(cfg, set->section);
    return !is_new || member(set, "model") ||
           config_set_add(u->what->a, set, "model", "on", err);
}

/* The file that has the key in that section. */
static bool name_files(const struct updating *u, struct config_set *set, struct err *err)
{
    const struct config *cfg = u->what->cfg;
    struct arena *a = u->what->a;

    for (struct config_item *i = set->item; i; i = i->next) {
        const char *where, *text, *colon;

        if (config_entry(cfg, set->section, i->key, &where, &text)) {
            colon = strrchr(where, ':');
            i->file = colon ? arena_strndup(a, where, (size_t)(colon - where)) : NULL;
        } else {
            i->file = arena_fmt(a, "%s/%s", cfg->barman_home, AUTO_FILE);
        }
    }
    return !a->failed || arena_err(a, err);
}

/* ---- a file ---- */

/* With the mode it has, behind the link if it is one; written beside it, then renamed. */
static bool replace_file(const char *path, struct str bytes, struct err *err)
{
    char real[PATH_CAP], tmp[PATH_CAP];
    struct stat st = {.st_mode = NEW_MODE};
    bool ok, there = stat(path, &st) == 0;
    int fd;

    if (!there || sys_real_path(path, real) != 0) {
        str_copy(real, sizeof real, path);
    }
    if (!str_fmt(tmp, sizeof tmp, "%s.tmp", real)) {
        return err_set(err, ERR_FORMAT, "Use a shorter directory.", real, "path is too long");
    }
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, NEW_MODE);
    if (fd < 0) {
        return err_os(err, errno, "write", tmp);
    }
    /* Somebody else's file becomes ours, with what its group and others may do. */
    ok = !there || ((fchown(fd, st.st_uid, st.st_gid) == 0 || errno == EPERM) &&
                    fchmod(fd, st.st_mode & 0777) == 0);
    ok = ok || err_os(err, errno, "set the mode of", tmp);
    ok = ok && fd_write_all(fd, bytes.p, bytes.n, tmp, err) && fd_sync(fd, tmp, err);
    if (close(fd) != 0 && ok) {
        ok = err_os(err, errno, "close", tmp);
    }
    ok = ok && file_rename(tmp, real, err);
    if (!ok) {
        unlink(tmp);
    }
    return ok;
}

static bool edit_file(struct arena *a, const struct config_set *set,
                      const struct config_item *i, struct err *err)
{
    const struct cfg_edit edit = {set->section, i->key, i->value};
    struct str text = str_of(""), out;
    struct err why = {0};

    if (!file_read(a, i->file, CFG_FILE_MAX, &text, &why)) {
        if (why.code != ERR_MISSING) {
            *err = why;
            return false;
        }
        text = str_of("");
    }
    return cfg_edit(a, text, &edit, &out, err) && replace_file(i->file, out, err);
}

/* ---- the queue ---- */

static bool apply_set(const struct updating *u, const struct config_set *set, struct err *err)
{
    for (const struct config_item *i = set->item; i; i = i->next) {
        const char *where, *old = "None";

        (void)config_entry(u->what->cfg, set->section, i->key, &where, &old);
        if (!edit_file(u->what->a, set, i, err)) {
            return err_wrap(err, "change option '%s' of section '%s'", i->key, set->section);
        }
        task_say(u->t, SAY_OUT,
                 "Changing value of option '%s' for section '%s' from '%s' to '%s' through "
                 "config-update.",
                 i->key, set->section, old, i->value);
    }
    return true;
}

static bool restart_servers(const struct updating *u, const struct config_set *done,
                            const struct config_set *end, struct err *err)
{
    struct config_change now = *u->what;
    struct cfg_messages ignored = {0};

    now.cfg = config_load(u->what->a, u->what->config_path, &ignored, err);
    if (!now.cfg) {
        return false;
    }
    for (; done != end; done = done->next) {
        const struct server_cfg *srv = config_server(now.cfg, done->section);

        if (srv && !config_restart(u->t, &now, srv, err)) {
            return false;
        }
    }
    return true;
}

/* One section, then the queue without it, and so on. */
static bool work_off(const struct updating *u, struct config_set *first, struct err *err)
{
    const struct config_set *set = first;
    bool ok = true;

    while (set && ok) {
        ok = apply_set(u, set, err) && config_queue_save(u->queue, set->next, err);
        set = ok ? set->next : set;
    }
    if (set == first) {
        return ok;
    }
    if (ok) {
        return restart_servers(u, first, set, err);
    }
    return false;
}

static bool queue_of(struct updating *u, struct err *err)
{
    u->queue = config_queue(u->what->cfg, u->what->a);
    return u->queue || arena_err(u->what->a, err);
}

static bool update_locked(const struct updating *u, struct str json, struct err *err)
{
    struct config_set *asked, *waiting, **end = &waiting;

    if (!config_update_parse(u->what->a, json, &asked, err)) {
        return false;
    }
    for (struct config_set *s = asked; s; s = s->next) {
        if (!check_set(u, s, err) || !name_files(u, s, err)) {
            return false;
        }
    }
    if (!config_queue_load(u->t, u->queue, u->what->a, &waiting, err)) {
        return false;
    }
    while (*end) {
        end = &(*end)->next;
    }
    *end = asked;
    return !waiting || (config_queue_save(u->queue, waiting, err) && work_off(u, waiting, err));
}

/* The queue and .barman.auto.conf: written into an empty mount point they would be out of sight. */
static bool is_mounted(const struct updating *u, struct err *err)
{
    char dir[PATH_CAP];

    path_dir(u->queue, dir);
    return place_mounted(u->what->cfg->barman_home, err) && place_mounted(dir, err);
}

bool config_update(const struct task *t, const struct config_change *what, struct str json,
                   struct err *err)
{
    struct updating u = {.t = t, .what = what};
    struct lock lock;
    bool ok;

    if (!queue_of(&u, err) || !is_mounted(&u, err) ||
        !lock_take_file(&lock, what->cfg->barman_lock_directory, LOCK_FILE_CONFIG_UPDATE,
                        LOCK_TRY, err)) {
        return false;
    }
    ok = update_locked(&u, json, err);
    lock_release(&lock);
    return ok;
}

bool config_update_left_over(const struct task *t, const struct config_change *what,
                             struct err *err)
{
    struct updating u = {.t = t, .what = what};
    struct config_set *waiting;
    struct err why = {0};
    struct lock lock;
    bool ok;

    if (!queue_of(&u, err) || access(u.queue, F_OK) != 0 || !is_mounted(&u, &why)) {
        return u.queue != NULL;
    }
    if (!lock_take_file(&lock, what->cfg->barman_lock_directory, LOCK_FILE_CONFIG_UPDATE,
                        LOCK_TRY, &why)) {
        if (why.code != ERR_BUSY) {
            *err = why;
        }
        return why.code == ERR_BUSY;
    }
    ok = config_queue_load(t, u.queue, what->a, &waiting, err) &&
         (!waiting || work_off(&u, waiting, err));
    lock_release(&lock);
    return ok;
}
