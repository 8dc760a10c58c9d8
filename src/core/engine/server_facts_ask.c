/* SPDX-License-Identifier: PostgreSQL */
/* What the server says about itself, under Barman's names. */
#include "engine/server_facts_in.h"

#include "base/fmt.h"
#include "pg/facts.h"

#include <string.h>

#define STREAMS_WITH "pg_receivexlog"
#define COPIES_WITH  "pg_basebackup"

struct asking {
    const struct task *t;
    const struct server_cfg *srv;
    struct arena *a;
    struct server_facts *f;
};

static struct server_fact *text(struct asking *q, const char *key, const char *value)
{
    return server_fact_text(q->f, q->a, key, value);
}

static void none_of(struct asking *q, const char *const *key, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)server_fact_add(q->f, key[i], FACT_NONE);
    }
}

#define NONE_OF(q, ...)                                                                        \
    do {                                                                                       \
        static const char *const keys[] = {__VA_ARGS__};                                       \
        none_of(q, keys, sizeof keys / sizeof keys[0]);                                        \
    } while (0)

struct server_fact *server_fact_names(struct server_facts *f, struct arena *a, const char *key,
                                      const char *list)
{
    struct str rest = str_of(list), name;
    struct server_fact *at = server_fact_add(f, key, FACT_LIST);
    const char **names = ARENA_ARRAY(a, rest.n + 1, const char *);
    size_t open, close;

    if (str_find(rest, '(', &open)) {
        rest = str_skip(rest, open + 1);
        rest.n = str_find(rest, ')', &close) ? close : rest.n;
    }
    while (names && rest.n && str_split(&rest, ',', &name)) {
        name = str_trim(name);
        if (name.n > 1 && name.p[0] == '"' && name.p[name.n - 1] == '"') {
            name = str_n(name.p + 1, name.n - 2);
        }
        names[at->listed++] = arena_strndup(a, name.p, name.n);
    }
    if (names && at->listed == 0) {
        names[at->listed++] = ""; /* as Barman splits it */
    }
    at->list = names;
    return at;
}

/* ---- an ordinary connection ---- */

/* As SHOW prints them, with their units. */
static bool settings(struct asking *q, struct pg *pg, const struct pg_facts *facts,
                     struct err *err)
{
    static const char *const shown[] = {
        "data_checksums",  "hot_standby",     "max_replication_slots",
        "max_wal_senders", "wal_compression", "wal_keep_size",
        "wal_level"};
    const struct {
        const char *key, *path;
    } file[] = {
        {"config_file", facts->config_file},
        {"hba_file", facts->hba_file},
        {"ident_file", facts->ident_file},
    };

    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        const char *value = pg_show_setting(pg, q->t, q->a, shown[i], err);

        if (!value) {
            return false;
        }
        (void)text(q, shown[i], value);
    }
    (void)text(q, "data_directory", facts->data_directory);
    for (size_t i = 0; i < sizeof file / sizeof file[0]; i++) {
        if (file[i].path) { /* only who may see them is told */
            (void)text(q, file[i].key, file[i].path);
        }
    }
    if (facts->included_files) {
        struct server_fact *at = server_fact_add(q->f, "included_files", FACT_LIST);

        at->list = facts->included_file;
        at->listed = facts->included_files;
    }
    (void)server_fact_names(q->f, q->a, "synchronous_standby_names",
                            facts->synchronous_standby_names);
    return true;
}

static void about(struct asking *q, const struct pg_facts *facts)
{
    char lsn[FMT_CAP];

    (void)text(q, "server_txt_version", facts->version_text);
    (void)server_fact_truth(q->f, "version_supported", true);
    (void)server_fact_truth(q->f, "is_superuser", facts->superuser);
    (void)server_fact_truth(q->f, "has_backup_privileges", facts->backup_rights);
    (void)server_fact_truth(q->f, "has_monitoring_privileges", facts->monitor_rights);
    (void)server_fact_truth(q->f, "is_in_recovery", facts->in_recovery);
    (void)text(q, "current_lsn", facts->lsn ? fmt_lsn(facts->lsn, lsn) : NULL);
    (void)text(q, "current_xlog",
               facts->wal_name[0] && !facts->in_recovery ? facts->wal_name : NULL);
    (void)server_fact_number(q->f, "xlog_segment_size", facts->wal_segment_size);
    (void)server_fact_number(q->f, "archive_timeout", (int64_t)facts->archive_timeout_s);
    (void)server_fact_number(q->f, "checkpoint_timeout", (int64_t)facts->checkpoint_timeout_s);
    (void)text(q, "postgres_systemid", facts->systemid);
    (void)server_fact_truth(q->f, "replication_slot_support", true);
}

static void stamp(struct asking *q, const char *key, int64_t us)
{
    server_fact_add(q->f, key, us ? FACT_STAMP : FACT_NONE)->number = us;
}

static void archiver(struct asking *q, const struct pg_facts *facts)
{
    char rate[FMT_CAP];
    struct server_fact *at;

    (void)text(q, "archive_mode", facts->archive_mode);
    (void)text(q, "archive_command", facts->archive_command);
    if (!facts->archiver.known) {
        return;
    }
    (void)server_fact_number(q->f, "archived_count", (int64_t)facts->archiver.archived_count);
    (void)text(q, "last_archived_wal", facts->archiver.last_archived_wal);
    stamp(q, "last_archived_time", facts->archiver.last_archived_us);
    (void)server_fact_number(q->f, "failed_count", (int64_t)facts->archiver.failed_count);
    (void)text(q, "last_failed_wal", facts->archiver.last_failed_wal);
    stamp(q, "last_failed_time", facts->archiver.last_failed_us);
    stamp(q, "stats_reset", facts->archiver.stats_reset_us);
    (void)server_fact_truth(q->f, "is_archiving",
                            facts->archiver.is_archiving && facts->archive_mode &&
                                strcmp(facts->archive_mode, "off") != 0);
    at = server_fact_add(q->f, "current_archived_wals_per_second", FACT_DECIMAL);
    at->text = arena_strdup(q->a, fmt_py_float(facts->archiver.per_second, rate));
    at->real = facts->archiver.per_second;
}

static bool slot(struct asking *q, struct pg *pg, struct err *err)
{
    const char **list = ARENA_ARRAY(q->a, 3, const char *);
    char lsn[FMT_CAP];
    struct pg_slot s;
    struct server_fact *at;

    if (!list || !pg_slot_read(pg, q->t, q->srv->slot_name, &s, err)) {
        return list ? false : arena_err(q->a, err);
    }
    at = server_fact_add(q->f, "replication_slot",
                         s.use == SLOT_MISSING ? FACT_NONE : FACT_SLOT);
    list[0] = q->srv->slot_name;
    list[1] = s.use == SLOT_ACTIVE ? "t" : "f";
    list[2] = arena_strdup(q->a, s.restart_lsn ? fmt_lsn(s.restart_lsn, lsn) : "");
    at->list = list;
    at->listed = 3;
    return true;
}

/* Without the rights of a backup it is not asked for, as in Barman. */
static bool size(struct asking *q, struct pg *pg, const struct pg_facts *facts, struct err *err)
{
    struct server_fact *at;
    uint64_t bytes;

    if (!facts->backup_rights) {
        (void)server_fact_add(q->f, "current_size", FACT_NONE);
        return true;
    }
    if (!pg_size_read(pg, q->t, &bytes, err)) {
        return false;
    }
    at = server_fact_add(q->f, "current_size", FACT_DECIMAL);
    at->text = arena_fmt(q->a, "%llu", (unsigned long long)bytes);
    at->real = (double)bytes;
    return true;
}

static bool ask_server(struct asking *q, struct err *err)
{
    const struct pg_target target = {.conninfo = q->srv->conninfo,
                                     .application_name = "barkeep"};
    struct pg_facts facts;
    struct pg *pg;
    bool ok;

    if (!target.conninfo) {
        return err_set(err, ERR_CONFIG, "", q->srv->name, "has no conninfo");
    }
    pg = pg_open(q->t, &target, err);
    ok = pg && pg_facts_read(pg, q->t, q->a, &facts, err);
    if (ok) {
        about(q, &facts);
        if (q->srv->archiver) {
            archiver(q, &facts);
        }
        ok = settings(q, pg, &facts, err) && size(q, pg, &facts, err) &&
             (!q->srv->slot_name || slot(q, pg, err));
    }
    pg_close(pg);
    return ok;
}

/* ---- a replication connection ---- */

static bool uses_streaming(const struct server_cfg *srv)
{
    return srv->streaming_archiver || strcmp(srv->backup_method, "postgres") == 0;
}

static void ask_streaming(struct asking *q)
{
    const struct pg_target target = {.conninfo = server_cfg_streaming_conninfo(q->srv),
                                     .mode = PG_REPLICATION,
                                     .application_name = "barkeep"};
    struct pg_ident ident;
    char lsn[FMT_CAP], why[1600];
    struct err err;
    struct pg *pg = target.conninfo ? pg_open(q->t, &target, &err) : NULL;

    if (pg && pg_ident_read(pg, q->t, &ident, &err)) {
        (void)server_fact_truth(q->f, "version_supported", true);
        (void)server_fact_truth(q->f, "streaming_supported", true);
        (void)server_fact_truth(q->f, "streaming", true);
        (void)text(q, "streaming_systemid", ident.systemid);
        (void)server_fact_number(q->f, "timeline", ident.tli);
        (void)text(q, "xlogpos", fmt_lsn(ident.flushed, lsn));
    } else if (target.conninfo) {
        (void)text(q, "version_supported", NULL);
        (void)text(q, "connection_error", err_text(&err, why, sizeof why));
    }
    pg_close(pg);
}

/* What Barman calls programs for is built in here. */
static void built_in(struct asking *q)
{
    bool synchronous = false;

    if (q->srv->streaming_archiver) {
        for (size_t i = 0; i < q->f->n; i++) {
            const struct server_fact *f = &q->f->fact[i];

            for (size_t k = 0;
                 strcmp(f->key, "synchronous_standby_names") == 0 && k < f->listed; k++) {
                synchronous = synchronous || strcmp(f->list[k], "*") == 0 ||
                              strcmp(f->list[k], q->srv->streaming_archiver_name) == 0;
            }
        }
        (void)server_fact_truth(q->f, STREAMS_WITH "_installed", true);
        (void)text(q, STREAMS_WITH "_path", "built in");
        (void)text(q, STREAMS_WITH "_version", BARKEEP_VERSION);
        (void)server_fact_truth(q->f, STREAMS_WITH "_compatible", true);
        (void)server_fact_truth(q->f, STREAMS_WITH "_supports_slots", true);
        (void)server_fact_truth(q->f, STREAMS_WITH "_synchronous", synchronous);
    }
    if (strcmp(q->srv->backup_method, "postgres") == 0) {
        (void)server_fact_truth(q->f, COPIES_WITH "_installed", true);
        (void)text(q, COPIES_WITH "_path", "built in");
        (void)text(q, COPIES_WITH "_version", BARKEEP_VERSION);
        (void)server_fact_truth(q->f, COPIES_WITH "_compatible", true);
        (void)server_fact_truth(q->f, COPIES_WITH "_bwlimit", true);
        (void)server_fact_truth(q->f, COPIES_WITH "_tbls_mapping", true);
    }
}

bool facts_of_server(const struct task *t, const struct server_cfg *srv, struct arena *a,
                     struct server_facts *out, struct err *err)
{
    struct asking q = {t, srv, a, out};
    struct err why;

    if (server_cfg_passive(srv)) {
        return true;
    }
    NONE_OF(&q, "data_directory", "server_txt_version", "is_superuser", "is_in_recovery",
            "current_xlog", "replication_slot_support", "replication_slot",
            "synchronous_standby_names", "postgres_systemid", "version_supported");
    if (srv->archiver) {
        NONE_OF(&q, "archive_mode", "archive_command");
    }
    if (uses_streaming(srv)) {
        NONE_OF(&q, "streaming_supported", "streaming", "streaming_systemid", "timeline",
                "xlogpos", "connection_error");
    }
    if (!ask_server(&q, &why)) {
        char line[1600];

        (void)text(&q, "connection_error", err_text(&why, line, sizeof line));
    }
    if (uses_streaming(srv) && task_go_on(t, &why)) {
        ask_streaming(&q);
    }
    built_in(&q);
    return !a->failed || arena_err(a, err);
}
