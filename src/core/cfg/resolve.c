/* SPDX-License-Identifier: PostgreSQL */
#include "cfg/load.h"

#include "base/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACTIVE_MODEL_FILE ".active-model.auto"
#define MODEL_NAME_MAX    1024

void messages_add(struct arena *a, struct cfg_messages *m, const char *fmt, ...)
{
    char text[PATH_CAP];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < m->n; i++) {
        if (strcmp(m->text[i], text) == 0) {
            return;
        }
    }
    if (m->n == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 8;
        const char **more = ARENA_ARRAY(a, cap, const char *);
        if (!more) {
            return;
        }
        if (m->n) {
            memcpy(more, m->text, m->n * sizeof *more);
        }
        m->text = more;
        m->cap = cap;
    }
    m->text[m->n] = arena_strdup(a, text);
    m->n += m->text[m->n] != NULL;
}

const char *resolve_path(struct load *l, const char *path)
{
    const char *home = getenv("HOME");
    char cwd[PATH_CAP];

    if (path[0] == '~' && (path[1] == '/' || !path[1]) && home) {
        return arena_fmt(l->a, "%s%s", home, path + 1);
    }
    if (path[0] != '/' && getcwd(cwd, sizeof cwd)) {
        return arena_fmt(l->a, "%s/%s", cwd, path);
    }
    return path;
}

/* One place an option may come from: e in the light of section. true: the member has its value
 * now. */
static bool take(struct load *l, const struct option *o, const struct ini_entry *e,
                 struct ini_section *section, void *member)
{
    struct value_scope scope = {section, l->defaults.ini, l->barman.ini};
    const char *text;
    enum value_expanded how = value_expand(l->a, &scope, e->value, &text);

    if (how == VALUE_LOST) {
        messages_add(
            l->a, l->warnings,
            "%s: Ignoring option '%s' in [%s] section: a %%(name)s in it has no value.",
            e->where, o->name, section->name);
        return false;
    }
    if (how == VALUE_PERCENT) {
        messages_add(l->a, l->warnings,
                     "%s: option '%s' in [%s] section has a lone percent sign; write %%%%.",
                     e->where, o->name, section->name);
    }
    switch (value_parse(l->a, o, text, member)) {
    case VALUE_SET:
    case VALUE_UNSET:
        return true;
    case VALUE_FALLBACK:
        return false;
    case VALUE_BAD:
        break;
    }
    messages_add(l->a, l->warnings,
                 "%s: Ignoring invalid configuration value of option '%s' in [%s] section.",
                 e->where, o->name, section->name);
    return false;
}

static bool in_scope(const struct option *o, char letter)
{
    return strchr(o->scope, letter) != NULL;
}

static void resolve_option(struct load *l, enum option_id id, const struct load_section *model,
                           const struct load_section *section, struct server_cfg *srv)
{
    const struct option *o = &option_table[id];
    void *member = (char *)srv + o->offset;
    const struct ini_entry *const place[] = {
        model && in_scope(o, 'M') ? model->option[id] : NULL,
        section->option[id],
        l->defaults.option[id],
        in_scope(o, 'G') ? l->barman.option[id] : NULL,
    };
    struct ini_section *const light[] = {
        model ? model->ini : NULL,
        section->ini,
        section->ini,
        l->barman.ini,
    };

    for (size_t i = 0; i < sizeof place / sizeof place[0]; i++) {
        if (place[i] && take(l, o, place[i], light[i], member)) {
            srv->source[id] = place[i]->where;
            return;
        }
    }
    value_default(o, member);
    srv->source[id] = "default";
}

void resolve_globals(struct load *l)
{
    for (int i = 0; i < GLOBAL_COUNT; i++) {
        const struct option *o = &global_option_table[i];
        void *member = (char *)l->cfg + o->offset;
        const struct ini_entry *e = ini_entry(l->barman.ini, str_of(o->name));

        if (!e) {
            e = ini_entry(l->defaults.ini, str_of(o->name));
        }
        l->cfg->source[i] = "default";
        if (e && l->barman.ini && take(l, o, e, l->barman.ini, member)) {
            l->cfg->source[i] = e->where;
        } else {
            value_default(o, member);
        }
    }
}

/* Is this what a file that never named the option would say? */
static bool is_default(struct load *l, const struct option *o, const struct ini_entry *e,
                       struct ini_section *section)
{
    union {
        const char *text;
        bool on;
        int64_t number;
    } now = {0}, def = {0};

    if (!take(l, o, e, section, &now)) {
        return true;
    }
    value_default(o, &def);
    switch (o->type) {
    case OPTION_BOOL:
        return now.on == def.on;
    case OPTION_INT:
    case OPTION_SPAN:
    case OPTION_SIZE:
        return now.number == def.number;
    default:
        return !now.text || (def.text && strcmp(now.text, def.text) == 0) ||
               (o->type == OPTION_ENUM &&
                (strcmp(now.text, "none") == 0 || strcmp(now.text, "off") == 0));
    }
}

static void tell_later(struct load *l, const struct option *o, const struct ini_entry *e,
                       struct ini_section *section)
{
    if (o->acts == OPTION_LATER && !is_default(l, o, e, section)) {
        messages_add(l->a, &l->cfg->unheeded,
                     "%s: option '%s' is known but this version does not act on it.", e->where,
                     o->name);
    }
}

/* letters: which options count here; the others are left to resolve_unknown(). */
static void index_section(struct load *l, struct load_section *s, const char *letters)
{
    for (const struct ini_entry *e = s->ini ? s->ini->entry : NULL; e; e = e->next) {
        const struct option *o = option_find(str_of(e->key));

        if (o && strpbrk(o->scope, letters)) {
            s->option[o - option_table] = e;
            tell_later(l, o, e, s->ini);
        } else if (s == &l->barman) {
            o = global_option_find(str_of(e->key));
            if (o) {
                tell_later(l, o, e, s->ini);
            }
        }
    }
}

static bool says_model(struct load *l, struct ini_section *section)
{
    const struct option *o = &option_table[OPTION_model];
    const struct ini_entry *e = ini_entry(section, str_of(o->name));
    bool is_model = false;

    return e && take(l, o, e, section, &is_model) && is_model;
}

void resolve_index(struct load *l)
{
    size_t n = 0;

    index_section(l, &l->defaults, "GSM");
    index_section(l, &l->barman, "G");
    for (struct ini_section *s = l->ini.section; s; s = s->next) {
        n++;
    }
    l->section = ARENA_ARRAY(l->a, n + 1, struct load_section);
    for (struct ini_section *s = l->ini.section; s && l->section; s = s->next) {
        struct load_section *at = &l->section[l->sections];

        if (s == l->barman.ini || s == l->defaults.ini) {
            continue;
        }
        at->ini = s;
        at->is_model = says_model(l, s);
        index_section(l, at, at->is_model ? "M" : "S");
        l->sections++;
    }
}

static int by_model_name(const void *a, const void *b)
{
    return strcmp(((const struct cfg_model *)a)->name, ((const struct cfg_model *)b)->name);
}

static void model_options(struct load *l, const struct load_section *s, struct cfg_model *m)
{
    struct cfg_model_option *list = ARENA_ARRAY(l->a, OPTION_COUNT, struct cfg_model_option);
    struct value_scope scope = {s->ini, l->defaults.ini, l->barman.ini};

    m->option = list;
    for (size_t id = 0; list && id < OPTION_COUNT; id++) {
        const struct ini_entry *e = s->option[id];
        const char *text;

        if (e && value_expand(l->a, &scope, e->value, &text) != VALUE_LOST) {
            list[m->options++] =
                (struct cfg_model_option){option_table[id].name, text, e->where};
        }
    }
}

bool resolve_models(struct load *l)
{
    struct cfg_model *model = ARENA_ARRAY(l->a, l->sections + 1, struct cfg_model);

    for (size_t i = 0; i < l->sections && model; i++) {
        const struct load_section *s = &l->section[i];
        const struct ini_entry *e = s->option[OPTION_cluster];
        struct cfg_model *m = &model[l->cfg->models];

        if (!s->is_model) {
            continue;
        }
        m->name = s->ini->name;
        if (!e || !take(l, &option_table[OPTION_cluster], e, s->ini, &m->cluster) ||
            !m->cluster) {
            err_set(l->err, ERR_CONFIG, "Name the cluster it is for in the model's section.",
                    s->ini->where, "the model has no 'cluster'");
            return err_wrap(l->err, "read the configuration");
        }
        model_options(l, s, m);
        l->cfg->models++;
    }
    l->cfg->model = model;
    if (model) {
        qsort(model, l->cfg->models, sizeof *model, by_model_name);
    }
    return true;
}

/* One of another cluster is left out, and every command says so: it would lead to that one. */
static bool is_of_cluster(struct load *l, const struct server_cfg *srv, const char *model)
{
    const char *cluster = config_model(l->cfg, model)->cluster;
    const char *ours = srv->cluster ? srv->cluster : srv->name;

    if (strcmp(cluster, ours) == 0) {
        return true;
    }
    messages_add(l->a, &l->cfg->misfits,
                 "Model '%s' has 'cluster=%s', which is not compatible with 'cluster=%s' from "
                 "server '%s'",
                 model, cluster, ours, srv->name);
    return false;
}

/* The model named in the server's directory; an unknown name disables the server. */
static const struct load_section *active_model(struct load *l, struct server_cfg *srv,
                                               struct cfg_messages *messages)
{
    char path[PATH_CAP];
    struct err err;
    struct str name;

    if (!path_join(path, srv->backup_directory, ACTIVE_MODEL_FILE, &err)) {
        return NULL;
    }
    if (!file_read(l->a, path, MODEL_NAME_MAX, &name, &err)) {
        if (err.code != ERR_MISSING) {
            messages_add(l->a, messages, "Cannot read the active model's name: %s: %s",
                         err.what, err.why);
        }
        return NULL;
    }
    name = str_trim(name);
    for (size_t i = 0; i < l->sections; i++) {
        if (l->section[i].is_model && str_eq(name, l->section[i].ini->name)) {
            if (!is_of_cluster(l, srv, l->section[i].ini->name)) {
                return NULL;
            }
            srv->active_model = l->section[i].ini->name;
            return &l->section[i];
        }
    }
    if (name.n) {
        messages_add(l->a, messages,
                     "Model '%.*s' is set as the active model for the server "
                     "'%s' but the model does not exist.",
                     (int)name.n, name.p, srv->name);
    }
    return NULL;
}

static void set_directories(struct load *l, struct server_cfg *srv)
{
    const struct {
        const char **member;
        const char *name;
    } below[] = {
        {&srv->basebackups_directory, "base"},
        {&srv->wals_directory, "wals"},
        {&srv->incoming_wals_directory, "incoming"},
        {&srv->streaming_wals_directory, "streaming"},
        {&srv->errors_directory, "errors"},
    };

    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
        const char *set = *below[i].member;
        *below[i].member = set ? resolve_path(l, set)
                               : arena_fmt(l->a, "%s/%s", srv->backup_directory, below[i].name);
    }
    srv->xlogdb_directory =
        srv->xlogdb_directory ? resolve_path(l, srv->xlogdb_directory) : srv->wals_directory;
}

void resolve_server(struct load *l, const struct load_section *section, struct server_cfg *srv,
                    struct cfg_messages *messages)
{
    const struct load_section *model;

    srv->name = section->ini->name;
    srv->config_path = l->cfg->path;
    resolve_option(l, OPTION_backup_directory, NULL, section, srv);
    srv->backup_directory = srv->backup_directory
                                ? resolve_path(l, srv->backup_directory)
                                : arena_fmt(l->a, "%s/%s", l->cfg->barman_home, srv->name);
    if (!srv->backup_directory) {
        return;
    }
    resolve_option(l, OPTION_cluster, NULL, section, srv);
    model = active_model(l, srv, messages);
    for (int id = 0; id < OPTION_COUNT; id++) {
        if (id != OPTION_backup_directory) {
            resolve_option(l, (enum option_id)id, model, section, srv);
        }
    }
    if (!srv->cluster) {
        srv->cluster = srv->name;
    }
    if (!srv->backup_options || !*srv->backup_options) {
        srv->backup_options = "concurrent_backup";
    }
    set_directories(l, srv);
}

static void tell_unknown(struct load *l, const struct load_section *s, const char *letters)
{
    for (const struct ini_entry *e = s->ini ? s->ini->entry : NULL; e; e = e->next) {
        const struct option *o = option_find(str_of(e->key));
        bool global = s == &l->barman || s == &l->defaults;

        if ((o && strpbrk(o->scope, letters)) || e->referenced ||
            (global && global_option_find(str_of(e->key))) ||
            strcmp(e->key, option_table[OPTION_model].name) == 0) {
            continue;
        }
        messages_add(l->a, l->warnings,
                     "%s: Invalid configuration option \"%.64s\" in [%s] section.", e->where,
                     e->key, s->ini->name);
    }
}

void resolve_unknown(struct load *l)
{
    tell_unknown(l, &l->barman, "G");
    tell_unknown(l, &l->defaults, "GSM");
    for (size_t i = 0; i < l->sections; i++) {
        tell_unknown(l, &l->section[i], l->section[i].is_model ? "M" : "S");
    }
}
