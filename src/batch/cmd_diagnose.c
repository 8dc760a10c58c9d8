/* SPDX-License-Identifier: PostgreSQL */
/* diagnose: everything that is known, in one document, for whoever is asked for help. */
#include "session.h"

#include "backup_doc.h"
#include "base/clock.h"
#include "base/doc.h"
#include "base/fmt.h"
#include "base/log.h"
#include "engine/server_facts.h"
#include "repo/catalogue.h"
#include "repo/xlogdb.h"
#include "wal/seg.h"

#include <string.h>
#include <sys/utsname.h>

#define INDENT 4

struct diagnosing {
    struct session *s;
    const struct server_cfg *srv;
    struct server_facts *facts;
    struct doc *top;
    bool with_source;
};

/* ---- facts ---- */

/* "/etc/barman.conf:12" -> the file */
static const char *file_of(struct session *s, const char *source)
{
    const char *colon = source ? strrchr(source, ':') : NULL;

    return colon && colon != source ? arena_strndup(&s->arena, source, (size_t)(colon - source))
                                    : source;
}

static void put_list(struct doc *list, const struct server_fact *f)
{
    for (size_t i = 0; i < f->listed; i++) {
        if (f->kind == FACT_SLOT && i == 1) {
            doc_add_bool(list, f->list[i][0] == 't');
        } else {
            /* a slot that was never used has no position */
            doc_add_text(list, f->kind == FACT_SLOT && !f->list[i][0] ? NULL : f->list[i]);
        }
    }
}

static void put_value(struct doc *in, const char *key, const struct server_fact *f)
{
    char text[FMT_CAP], iso[DOC_ISO_CAP];
    struct stamp at;

    switch (f->kind) {
    case FACT_NONE:
        doc_null(in, key);
        break;
    case FACT_TEXT:
    case FACT_SET:
        doc_text(in, key, f->text);
        break;
    case FACT_NUMBER:
        doc_int(in, key, f->number);
        break;
    case FACT_TRUTH:
        doc_bool(in, key, f->number != 0);
        break;
    case FACT_DECIMAL:
        doc_real(in, key, f->real);
        break;
    case FACT_SPAN:
        doc_text(in, key, fmt_duration(f->number * NS_PER_S, text));
        break;
    case FACT_STAMP:
        at = stamp_local(f->number);
        doc_text(in, key, doc_iso((struct moment){at.us, at.offset_s, true}, iso));
        break;
    case FACT_LIST:
    case FACT_SLOT:
        put_list(doc_array(in, key), f);
        break;
    }
}

/* Global options that Barman tells only where they are set. */
static bool is_left_out(const char *key)
{
    return strcmp(key, "configuration_files_directory") == 0 || str_starts(str_of(key), "log_");
}

/* unset: the source of options that may be left out; NULL: all are told. */
static void put_config(const struct diagnosing *w, struct doc *in, const char *unset)
{
    for (size_t i = 0; i < w->facts->n; i++) {
        const struct server_fact *f = &w->facts->fact[i];

        if (unset && strcmp(f->source, unset) == 0 && is_left_out(f->key)) {
            continue;
        }
        if (w->with_source) {
            struct doc *one = doc_object(in, f->key);

            put_value(one, "value", f);
            doc_text(one, "source", file_of(w->s, f->source));
        } else {
            put_value(in, f->key, f);
        }
    }
}

/* ---- parts of it ---- */

static void put_system(struct doc *in)
{
    struct utsname u;
    struct stamp now = stamp_local(clock_wall_ns() / 1000);
    char iso[DOC_ISO_CAP];

    doc_text(in, "barman_ver", BARKEEP_VERSION);
    doc_text(in, "timestamp", doc_iso((struct moment){now.us, now.offset_s, true}, iso));
    if (uname(&u) == 0) {
        doc_fmt(in, "kernel_ver", "%s %s %s %s %s", u.sysname, u.nodename, u.release, u.version,
                u.machine);
    }
}

static void put_wal_file(struct doc *per, const struct wal_file *wal)
{
    char tli[9];
    struct doc *one;

    str_fmt(tli, sizeof tli, "%.8s", wal->name);
    one = doc_object(per, tli);
    doc_text(one, "name", wal->name);
    doc_int(one, "size", (int64_t)wal->size);
    doc_real(one, "time", wal->mtime);
    doc_text(one, "compression", wal->compression[0] ? wal->compression : NULL);
    doc_text(one, "encryption", wal->encryption[0] ? wal->encryption : NULL);
}

struct latest { /* of each timeline */
    struct wal_file *wal;
    size_t n, cap;
};

static bool latest_add(struct latest *l, struct arena *a, const struct wal_file *wal)
{
    struct wal_file *grown;
    size_t i = 0;

    while (i < l->n && strncmp(l->wal[i].name, wal->name, 8) != 0) {
        i++;
    }
    if (i < l->n) {
        if (strcmp(wal->name, l->wal[i].name) >= 0) {
            l->wal[i] = *wal;
        }
        return true;
    }
    if (l->n == l->cap) {
        grown = ARENA_ARRAY(a, 2 * l->cap + 8, struct wal_file);
        if (!grown) {
            return false;
        }
        if (l->n) {
            memcpy(grown, l->wal, l->n * sizeof *grown);
        }
        l->wal = grown;
        l->cap = 2 * l->cap + 8;
    }
    l->wal[l->n++] = *wal;
    return true;
}

/* The last segment of each timeline, by the list. */
static bool put_wals(const struct diagnosing *w, const struct repo *r, struct doc *in,
                     struct err *err)
{
    struct doc *per = doc_object(in, "last_archived_wal_per_timeline");
    struct latest latest = {0};
    struct wal_file wal;
    struct xlogdb db;
    bool ok = true;
    int more = 0;

    if (!xlogdb_open(&db, r, err)) {
        return false;
    }
    while (ok && (more = xlogdb_next(&db, &wal, err)) > 0) {
        ok = wal_name_kind(str_of(wal.name), WAL_CASE_EITHER) != WAL_NAME_SEGMENT ||
             latest_add(&latest, &w->s->arena, &wal) || arena_err(&w->s->arena, err);
    }
    xlogdb_close(&db);
    for (size_t i = 0; i < latest.n; i++) {
        put_wal_file(per, &latest.wal[i]);
    }
    return ok && more == 0;
}

static bool put_backups(const struct diagnosing *w, const struct repo *r, struct doc *in,
                        struct err *err)
{
    struct catalogue all;

    if (!catalogue_look(r, &w->s->arena, &all, err)) {
        return false;
    }
    if (all.unread) {
        session_fail(w->s, all.why);
    }
    for (size_t i = 0; i < all.n; i++) {
        backup_doc(doc_object(in, all.backup[i].id), &w->s->arena, &all.backup[i], DATES_ISO);
    }
    return true;
}

/* ---- a server ---- */

static bool ask(const struct task *task, void *arg, struct err *err)
{
    struct diagnosing *w = arg;

    return facts_of_server(task, w->srv, &w->s->arena, w->facts, err);
}

static bool put_server(struct diagnosing *w, struct doc *in, struct err *err)
{
    struct session_verb verb = {SESSION_LOOKS, w->srv, ask, w};
    struct doc *messages = doc_array(in, "msg_list");
    struct repo repo;

    w->facts->n = 0;
    if (!facts_of_config(w->srv, &w->s->arena, w->facts, err)) {
        return false;
    }
    put_config(w, doc_object(in, "config"), NULL);
    doc_text(in, "active_model", w->srv->active_model);
    for (size_t i = 0; i < w->srv->messages; i++) {
        doc_add_text(messages, w->srv->message[i]);
    }
    w->facts->n = 0;
    if (session_job(w->s, &verb)) {
        struct doc *status = doc_object(in, "status");

        for (size_t i = 0; i < w->facts->n; i++) {
            put_value(status, w->facts->fact[i].key, &w->facts->fact[i]);
        }
    }
    return !session_repo(w->s, w->srv, &repo) ||
           (put_backups(w, &repo, doc_object(in, "backups"), err) &&
            put_wals(w, &repo, doc_object(in, "wals"), err));
}

static bool put_globals(struct diagnosing *w, struct doc *in, struct err *err)
{
    struct doc *config = doc_object(in, "config"), *errors = doc_array(config, "errors_list");

    if (!facts_of_globals(w->s->cfg, &w->s->arena, w->facts, err)) {
        return false;
    }
    put_config(w, config, "default");
    for (size_t i = 0; i < w->s->cfg->conflicts.n; i++) {
        doc_add_text(errors, w->s->cfg->conflicts.text[i]);
    }
    put_system(doc_object(in, "system_info"));
    return true;
}

static void put_model_option(const struct diagnosing *w, struct doc *in,
                             const struct cfg_model_option *o)
{
    size_t cap = o->text ? 2 * strlen(o->text) + 64 : 1;
    char *mem = arena_alloc(&w->s->arena, cap);
    const char *text = o->text && mem ? redact(o->text, mem, cap) : NULL;
    struct doc *one;

    if (!w->with_source) {
        doc_text(in, o->name, text);
        return;
    }
    one = doc_object(in, o->name);
    doc_text(one, "value", text);
    doc_text(one, "source", file_of(w->s, o->source));
}

static void put_models(const struct diagnosing *w, struct doc *in)
{
    for (size_t i = 0; i < w->s->cfg->models; i++) {
        const struct cfg_model *m = &w->s->cfg->model[i];
        struct doc *config = doc_object(doc_object(in, m->name), "config");

        for (size_t k = 0; k < m->options; k++) {
            put_model_option(w, config, &m->option[k]);
        }
    }
}

void run_diagnose(struct session *s, const struct server_cfg *none)
{
    struct diagnosing w = {.s = s,
                           .facts = ARENA_NEW(&s->arena, struct server_facts),
                           .top = s->console.doc ? s->console.doc : doc_new(&s->said),
                           .with_source = arg_given(&s->args, "show-config-source")};
    struct doc *servers = doc_object(w.top, "servers");
    struct err err;
    bool ok = w.facts ? put_globals(&w, doc_object(w.top, "global"), &err)
                      : arena_err(&s->arena, &err);

    (void)none;
    put_models(&w, doc_object(w.top, "models"));
    for (size_t i = 0; ok && i < s->cfg->servers; i++) {
        w.srv = &s->cfg->server[i];
        if (!put_server(&w, doc_object(servers, w.srv->name), &err)) {
            session_fail(s, &err); /* the others are told all the same */
        }
    }
    if (!ok) {
        session_fail(s, &err);
    } else if (!s->console.doc && !s->console.quiet) {
        doc_print(w.top, INDENT, s->console.out);
        fputc('\n', s->console.out);
    }
}
