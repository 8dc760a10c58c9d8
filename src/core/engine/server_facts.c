/* SPDX-License-Identifier: PostgreSQL */
/* What is configured, and how facts are ordered and printed. */
#include "engine/server_facts_in.h"

#include "base/bug.h"
#include "base/clock.h"
#include "base/fmt.h"
#include "base/log.h"
#include "plan/retention.h"
#include "repo/catalogue.h"
#include "repo/pylit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S INT64_C(86400)

static int by_key(const void *x, const void *y)
{
    return strcmp(((const struct server_fact *)x)->key, ((const struct server_fact *)y)->key);
}

void server_fact_sort(struct server_facts *f)
{
    qsort(f->fact, f->n, sizeof f->fact[0], by_key);
}

/* ---- adding ---- */

struct server_fact *server_fact_add(struct server_facts *f, const char *key,
                                    enum server_fact_kind kind)
{
    struct server_fact *at = NULL;

    for (size_t i = 0; i < f->n && !at; i++) {
        if (strcmp(f->fact[i].key, key) == 0) {
            at = &f->fact[i];
        }
    }
    if (!at) {
        BUG_IF(f->n + 2 >= FACTS_MAX);
        at = &f->fact[f->n++];
    }
    *at = (struct server_fact){.key = key, .kind = kind};
    return at;
}

/* The text without passwords. */
static const char *safe_text(struct arena *a, const char *text)
{
    size_t cap = 2 * strlen(text) + 64;
    char *out = arena_alloc(a, cap);

    return out ? redact(text, out, cap) : NULL;
}

struct server_fact *server_fact_text(struct server_facts *f, struct arena *a, const char *key,
                                     const char *text)
{
    struct server_fact *at = server_fact_add(f, key, text ? FACT_TEXT : FACT_NONE);

    at->text = text ? safe_text(a, text) : NULL;
    return at;
}

struct server_fact *server_fact_number(struct server_facts *f, const char *key, int64_t n)
{
    struct server_fact *at = server_fact_add(f, key, FACT_NUMBER);

    at->number = n;
    return at;
}

struct server_fact *server_fact_truth(struct server_facts *f, const char *key, bool is)
{
    struct server_fact *at = server_fact_add(f, key, FACT_TRUTH);

    at->number = is;
    return at;
}

/* ---- options ---- */

static struct server_fact *option_number(struct server_facts *f, const struct option *o,
                                         const void *member)
{
    int64_t n;
    struct server_fact *at;

    memcpy(&n, member, sizeof n);
    if (n == CFG_UNSET) {
        return server_fact_add(f, o->name, FACT_NONE);
    }
    at = server_fact_number(f, o->name, n);
    at->kind = o->type == OPTION_SPAN ? FACT_SPAN : FACT_NUMBER;
    return at;
}

static struct server_fact *option_text(struct server_facts *f, struct arena *a,
                                       const struct option *o, const char *text)
{
    struct server_fact *at;
    int64_t n;

    /* An ENUM with "#" is a number when it is one. */
    if (o->type == OPTION_ENUM && o->values && strchr(o->values, '#') && text &&
        str_i64(str_of(text), &n)) {
        return server_fact_number(f, o->name, n);
    }
    if (o->type != OPTION_CSV) {
        return server_fact_text(f, a, o->name, text);
    }
    if (strcmp(o->name, "snapshot_disks") == 0) {
        struct str rest = str_of(text), word;
        const char **list = ARENA_ARRAY(a, strlen(text ? text : "") + 1, const char *);

        at = server_fact_add(f, o->name, text ? FACT_LIST : FACT_NONE);
        while (text && list && str_split(&rest, ',', &word)) {
            list[at->listed++] = arena_strndup(a, word.p, word.n);
        }
        at->list = list;
        return at;
    }
    at = server_fact_add(f, o->name, FACT_SET);
    at->text = text ? text : "";
    at->class = strcmp(o->name, "recovery_options") == 0 ? "RecoveryOptions" : "BackupOptions";
    return at;
}

static void add_option(struct server_facts *f, struct arena *a, const struct option *o,
                       const void *member, const char *source)
{
    const char *text;
    struct server_fact *at;
    bool on;

    switch (o->type) {
    case OPTION_BOOL:
        memcpy(&on, member, sizeof on);
        at = server_fact_truth(f, o->name, on);
        break;
    case OPTION_INT:
    case OPTION_SPAN:
    case OPTION_SIZE:
        at = option_number(f, o, member);
        break;
    default:
        memcpy(&text, member, sizeof text);
        at = option_text(f, a, o, text);
        break;
    }
    at->source = source;
}

/* A policy in its printed form. */
static void add_policies(struct server_facts *f, struct arena *a, const struct server_cfg *srv)
{
    char text[RETENTION_CAP];
    struct retention policy;
    struct err ignored;
    const char *wal = srv->wal_retention_policy;
    bool enforced = srv->retention_policy &&
                    retention_parse(str_of(srv->retention_policy), &policy, &ignored);

    /* Barman makes it an object, which prints large, only beside a policy it understands; beside
     * one that it does not it is small; and as it was written where there is none. */
    if (srv->retention_policy && wal && str_eq_nocase(str_of(wal), "main")) {
        server_fact_text(f, a, "wal_retention_policy", enforced ? "MAIN" : "main")->source =
            srv->source[OPTION_wal_retention_policy];
    }
    if (enforced) {
        server_fact_text(f, a, "retention_policy", retention_print(&policy, text))->source =
            srv->source[OPTION_retention_policy];
    }
}

bool facts_of_config(const struct server_cfg *srv, struct arena *a, struct server_facts *out,
                     struct err *err)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *o = &option_table[i];

        if (i != OPTION_model) {
            add_option(out, a, o, (const char *)srv + o->offset, srv->source[i]);
        }
    }
    add_policies(out, a, srv);
    /* As Barman has them when they are not set. */
    if (!server_cfg_encrypts(srv)) {
        server_fact_text(out, a, "encryption", NULL)->source = srv->source[OPTION_encryption];
    }
    server_fact_text(out, a, "streaming_conninfo", server_cfg_streaming_conninfo(srv))->source =
        srv->source[OPTION_streaming_conninfo];
    server_fact_truth(out, "disabled", srv->disabled)->source = "default";
    server_fact_text(out, a, "name", srv->name)->source = "default";
    return !a->failed || arena_err(a, err);
}

bool facts_of_globals(const struct config *cfg, struct arena *a, struct server_facts *out,
                      struct err *err)
{
    for (size_t i = 0; i < GLOBAL_COUNT; i++) {
        const struct option *o = &global_option_table[i];

        add_option(out, a, o, (const char *)cfg + o->offset, cfg->source[i]);
    }
    return !a->failed || arena_err(a, err);
}

/* ---- the newest backup's age ---- */

bool facts_of_age(const struct repo *r, const struct server_cfg *srv, struct arena *a,
                  struct server_facts *out, struct err *err)
{
    const struct backup *last = NULL;
    char limit[FMT_CAP], age[FMT_CAP];
    struct catalogue c;
    int64_t now_us = clock_wall_ns() / 1000;

    if (srv->last_backup_maximum_age == CFG_UNSET) {
        (void)server_fact_text(out, a, "last_backup_maximum_age", "None");
        return !a->failed || arena_err(a, err);
    }
    if (!catalogue_look(r, a, &c, err)) {
        return false;
    }
    for (size_t i = 0; i < c.n; i++) {
        last = backup_copy_done(&c.backup[i]) ? &c.backup[i] : last;
    }
    fmt_duration(srv->last_backup_maximum_age * NS_PER_S, limit);
    if (!last || !last->end_time.known) {
        (void)server_fact_text(
            out, a, "last_backup_maximum_age",
            arena_fmt(a, "%s (WARNING! latest backup is No available backups old)", limit));
        return !a->failed || arena_err(a, err);
    }
    fmt_duration((now_us - last->end_time.us) * 1000, age);
    (void)server_fact_text(
        out, a, "last_backup_maximum_age",
        last->end_time.us >= clock_local_before(now_us, srv->last_backup_maximum_age * US_PER_S)
            ? arena_fmt(a, "%s (latest backup: %s )", limit, age)
            : arena_fmt(a, "%s (WARNING! latest backup is %s old)", limit, age));
    return !a->failed || arena_err(a, err);
}

/* ---- as Python prints it ---- */

static void put_list(struct sbuf *b, const struct server_fact *f)
{
    sbuf_char(b, '[');
    for (size_t i = 0; i < f->listed; i++) {
        sbuf_add(b, i ? ", " : "");
        pylit_put_text(b, f->list[i]);
    }
    sbuf_char(b, ']');
}

static void put_set(struct sbuf *b, const struct server_fact *f)
{
    struct str rest = str_of(f->text), word;
    bool first = true;

    sbuf_fmt(b, "%s(", f->class);
    while (f->text[0] && str_split(&rest, ',', &word)) {
        sbuf_fmt(b, "%s'%.*s'", first ? "{" : ", ", (int)word.n, word.p);
        first = false;
    }
    sbuf_add(b, first ? ")" : "})");
}

/* str(timedelta): "1 day, 4:00:00" */
static void put_span(struct sbuf *b, int64_t s)
{
    if (s >= DAY_S) {
        sbuf_fmt(b, "%" PRId64 " day%s, ", s / DAY_S, s / DAY_S == 1 ? "" : "s");
    }
    s %= DAY_S;
    sbuf_fmt(b, "%" PRId64 ":%02" PRId64 ":%02" PRId64, s / 3600, s / 60 % 60, s % 60);
}

static void put_slot(struct sbuf *b, const struct server_fact *f)
{
    sbuf_add(b, "Record(slot_name=");
    pylit_put_text(b, f->list[0]);
    sbuf_fmt(b, ", active=%s, restart_lsn=", f->list[1][0] == 't' ? "True" : "False");
    if (f->list[2][0]) {
        pylit_put_text(b, f->list[2]);
    } else {
        sbuf_add(b, "None");
    }
    sbuf_char(b, ')');
}

const char *server_fact_str(const struct server_fact *f, char *out, size_t cap)
{
    char stamp[STAMP_CAP];
    struct sbuf b;

    sbuf_init(&b, out, cap);
    switch (f->kind) {
    case FACT_NONE:
        sbuf_add(&b, "None");
        break;
    case FACT_TEXT:
    case FACT_DECIMAL:
        sbuf_add(&b, f->text ? f->text : "None");
        break;
    case FACT_NUMBER:
        sbuf_fmt(&b, "%" PRId64, f->number);
        break;
    case FACT_TRUTH:
        sbuf_add(&b, f->number ? "True" : "False");
        break;
    case FACT_SPAN:
        put_span(&b, f->number);
        break;
    case FACT_STAMP:
        sbuf_add(&b, stamp_iso(stamp_local(f->number), stamp));
        break;
    case FACT_LIST:
        put_list(&b, f);
        break;
    case FACT_SET:
        put_set(&b, f);
        break;
    case FACT_SLOT:
        put_slot(&b, f);
        break;
    }
    return out;
}
