/* SPDX-License-Identifier: PostgreSQL */
#include "cfg/config.h"

#include "base/file.h"
#include "base/log.h"
#include "cfg/load.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AUTO_FILE ".barman.auto.conf"

static const char *find_file(struct load *l, const char *path)
{
    const char *const usual[] = {"~/.barman.conf", "/etc/barman.conf",
                                 "/etc/barman/barman.conf"};

    if (!path || !*path) {
        path = getenv("BARMAN_CONFIG_FILE");
    }
    if (path && *path) {
        return resolve_path(l, path);
    }
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        const char *full = resolve_path(l, usual[i]);
        if (full && access(full, F_OK) == 0) {
            return full;
        }
    }
    err_set(l->err, ERR_CONFIG, "Name the file with -c FILE, or create /etc/barman.conf.", "",
            "there is no configuration file");
    return NULL;
}

static bool read_file(struct load *l, const char *path, const char *frozen)
{
    if (!path) {
        return arena_err(l->a, l->err);
    }
    if (ini_read(l->a, &l->ini, path, frozen, l->err)) {
        return true;
    }
    if (l->err->code != ERR_MEMORY) {
        l->err->code = ERR_CONFIG;
    }
    return false;
}

static void find_globals(struct load *l)
{
    l->barman.ini = ini_section(&l->ini, "barman");
    l->defaults.ini = ini_section(&l->ini, "DEFAULT");
    resolve_globals(l);
}

static bool read_included(struct load *l)
{
    const char *dir = l->cfg->configuration_files_directory;
    struct names names;

    dir = dir ? resolve_path(l, dir) : NULL;
    if (!dir) {
        return true;
    }
    if (!dir_names(l->a, dir, DIR_MAY_MISS, &names, l->err)) {
        return err_wrap(l->err, "read the configuration");
    }
    for (size_t i = 0; i < names.n; i++) {
        const char *path;

        if (names.name[i][0] == '.' || !str_ends(str_of(names.name[i]), ".conf")) {
            continue;
        }
        path = arena_fmt(l->a, "%s/%s", dir, names.name[i]);
        if (path && access(path, F_OK) == 0 && file_kind(path, NULL) == FILE_DIR) {
            continue;
        }
        if (!read_file(l, path, "barman")) {
            return false;
        }
    }
    return true;
}

static bool read_files(struct load *l)
{
    const char *path;

    if (!read_file(l, l->cfg->path, NULL)) {
        return false;
    }
    find_globals(l);
    if (l->a->failed) {
        return arena_err(l->a, l->err);
    }
    if (!l->cfg->barman_home) {
        err_set(l->err, ERR_CONFIG, "Add barman_home to its [barman] section.", l->cfg->path,
                "there is no barman_home");
        return err_wrap(l->err, "read the configuration");
    }
    l->cfg->barman_home = resolve_path(l, l->cfg->barman_home);
    if (!l->cfg->barman_home || !read_included(l)) {
        return l->cfg->barman_home ? false : arena_err(l->a, l->err);
    }
    path = arena_fmt(l->a, "%s/" AUTO_FILE, l->cfg->barman_home);
    if (!path || access(path, F_OK) == 0) {
        return read_file(l, path, "barman");
    }
    return true;
}

static void set_globals(struct load *l)
{
    struct config *cfg = l->cfg;
    const char **path[] = {&cfg->barman_home, &cfg->barman_lock_directory, &cfg->log_file,
                           &cfg->configuration_files_directory, &cfg->config_changes_queue};

    find_globals(l);
    if (!cfg->barman_user) {
        value_default(&global_option_table[GLOBAL_barman_user], &cfg->barman_user);
    }
    for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
        *path[i] = *path[i] ? resolve_path(l, *path[i]) : NULL;
    }
    if (!cfg->barman_lock_directory) {
        cfg->barman_lock_directory = cfg->barman_home;
    }
    if (!cfg->config_changes_queue) {
        cfg->config_changes_queue = arena_fmt(l->a, "%s/cfg_changes.queue", cfg->barman_home);
    }
}

static int by_section_name(const void *a, const void *b)
{
    return strcmp(((const struct load_section *)a)->ini->name,
                  ((const struct load_section *)b)->ini->name);
}

/* NULL: good. "all" stands for every server on the command line. A name is also a directory in
 * barman_home and a part of lock names; those that begin with a dot are Barman's and ours. */
static const char *name_fault(const char *name)
{
    if (strcmp(name, "all") == 0) {
        return "'all' is a reserved name and can not be a server's";
    }
    if (name[0] == '.') {
        return "the name of a server can not begin with a dot";
    }
    for (const char *p = name; *p; p++) {
        if (*p == '/' || (unsigned char)*p < ' ' || *p == 0x7f) {
            return "the name of a server can not hold a slash or a control character";
        }
    }
    return NULL;
}

static bool refuse_names(struct load *l)
{
    for (size_t i = 0; i < l->sections; i++) {
        const struct ini_section *s = l->section[i].ini;
        const char *fault = name_fault(s->name);

        if (fault) {
            err_set(l->err, ERR_CONFIG, "Give the section another name.", s->where, "%s",
                    fault);
            return err_wrap(l->err, "read the configuration");
        }
    }
    return true;
}

static void resolve_servers(struct load *l)
{
    struct server_cfg *srv = ARENA_ARRAY(l->a, l->sections + 1, struct server_cfg);
    struct cfg_messages *messages = ARENA_ARRAY(l->a, l->sections + 1, struct cfg_messages);

    if (!srv || !messages || !l->section) {
        return;
    }
    qsort(l->section, l->sections, sizeof *l->section, by_section_name);
    for (size_t i = 0; i < l->sections && !l->a->failed; i++) {
        size_t n = l->cfg->servers;

        if (!l->section[i].is_model) {
            resolve_server(l, &l->section[i], &srv[n], &messages[n]);
            l->cfg->servers++;
        }
    }
    if (l->a->failed) {
        return;
    }
    check_paths(l, srv, messages);
    for (size_t i = 0; i < l->cfg->servers; i++) {
        check_server(l, &srv[i], &messages[i]);
        srv[i].disabled = messages[i].n > 0;
        srv[i].message = messages[i].text;
        srv[i].messages = messages[i].n;
    }
    l->cfg->server = srv;
}

static void keep_ini(struct load *l)
{
    struct ini *ini = ARENA_NEW(l->a, struct ini);

    if (ini) {
        *ini = l->ini;
    }
    l->cfg->ini = ini;
}

const struct config *config_load(struct arena *a, const char *path,
                                 struct cfg_messages *warnings, struct err *err)
{
    struct load l = {.a = a, .warnings = warnings, .err = err};

    l.cfg = ARENA_NEW(a, struct config);
    if (!l.cfg) {
        arena_err(a, err);
        return NULL;
    }
    l.cfg->path = find_file(&l, path);
    if (!l.cfg->path || !read_files(&l)) {
        return NULL;
    }
    set_globals(&l);
    keep_ini(&l);
    resolve_index(&l);
    if (!refuse_names(&l) || !resolve_models(&l)) {
        return NULL;
    }
    resolve_servers(&l);
    resolve_unknown(&l);
    if (a->failed) {
        arena_err(a, err);
        return NULL;
    }
    return l.cfg;
}

const struct server_cfg *config_server(const struct config *cfg, const char *name)
{
    for (size_t i = 0; i < cfg->servers; i++) {
        if (strcmp(cfg->server[i].name, name) == 0) {
            return &cfg->server[i];
        }
    }
    return NULL;
}

int config_log_level(const struct config *cfg)
{
    static const struct {
        const char *name;
        int level;
    } names[] = {{"NOTSET", LOG_DEBUG},    {"DEBUG", LOG_DEBUG}, {"INFO", LOG_INFO},
                 {"WARNING", LOG_WARNING}, {"ERROR", LOG_ERROR}, {"CRITICAL", LOG_ERROR}};
    int64_t number;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (cfg->log_level && strcmp(cfg->log_level, names[i].name) == 0) {
            return names[i].level;
        }
    }
    if (!cfg->log_level || !str_i64(str_of(cfg->log_level), &number) || number < LOG_DEBUG) {
        return cfg->log_level ? LOG_DEBUG : LOG_INFO;
    }
    return number > LOG_ERROR ? LOG_ERROR : (int)number;
}

const struct cfg_model *config_model(const struct config *cfg, const char *name)
{
    for (size_t i = 0; i < cfg->models; i++) {
        if (strcmp(cfg->model[i].name, name) == 0) {
            return &cfg->model[i];
        }
    }
    return NULL;
}

bool config_entry(const struct config *cfg, const char *section, const char *key,
                  const char **where, const char **text)
{
    const struct ini_section *s = ini_section(cfg->ini, section);
    const struct ini_entry *e = s ? ini_entry(s, str_of(key)) : NULL;

    if (e) {
        *where = e->where;
        *text = e->value;
    }
    return e != NULL;
}

bool config_value_ok(const struct option *option, const char *text)
{
    static const struct value_scope scope = {NULL, NULL, NULL};
    union {
        const char *text;
        bool on;
        int64_t number;
    } member = {0};
    const char *plain;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    /* A %(key)s is judged where it is read. */
    ok = value_expand(&a, &scope, text, &plain) == VALUE_LOST ||
         value_parse(&a, option, plain, &member) != VALUE_BAD;
    arena_release(&a);
    return ok;
}

const char *config_queue(const struct config *cfg, struct arena *a)
{
    return cfg->config_changes_queue ? cfg->config_changes_queue
                                     : arena_fmt(a, "%s/cfg_changes.queue", cfg->barman_home);
}
