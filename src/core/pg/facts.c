/* SPDX-License-Identifier: PostgreSQL */
#include "pg/facts.h"

#include "wal/seg.h"

#include <stddef.h>
#include <string.h>

#define SIZE_UNLIMITED INT64_C(-1)

/* ---- the server itself -------------------------------------------------------------- */

/* Around a time: microseconds since 1970. */
#define US     "(pg_catalog.date_part('epoch', "
#define US_END ") * 1000000)::pg_catalog.int8"

/* Asked with a position that moves on: the timeline of a server in production is the one it
 * writes, not that of its last checkpoint. */
static const char server_sql[] =
    "SELECT pg_catalog.current_setting('server_version'), pg_catalog.pg_is_in_recovery(),"
    " (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER),"
    " (pg_catalog.pg_has_role('pg_monitor', 'USAGE')"
    " OR (pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')"
    " AND pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'))),"
    " pg_catalog.has_function_privilege('%s', 'EXECUTE')"
    " AND pg_catalog.has_function_privilege('%s', 'EXECUTE')"
    " AND pg_catalog.has_function_privilege('pg_catalog.pg_switch_wal()', 'EXECUTE')"
    " AND pg_catalog.has_function_privilege('pg_catalog.pg_create_restore_point(text)',"
    " 'EXECUTE'),"
    " CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()"
    " ELSE pg_catalog.pg_current_wal_lsn() END,"
    " CASE WHEN pg_catalog.pg_is_in_recovery()"
    " THEN pg_catalog.lpad(pg_catalog.to_hex((SELECT timeline_id"
    " FROM pg_catalog.pg_control_checkpoint())), 8, '0')"
    " ELSE pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8)"
    " END,"
    " " US "pg_catalog.clock_timestamp()" US_END ","
    " " US "pg_catalog.pg_postmaster_start_time()" US_END ","
    " (SELECT system_identifier FROM pg_catalog.pg_control_system()),"
    " a.archived_count, a.failed_count, a.last_archived_wal, a.last_failed_wal,"
    " " US "a.last_archived_time" US_END ", " US "a.last_failed_time" US_END ","
    " " US "a.stats_reset" US_END ","
    " a.last_failed_time IS NULL OR a.last_failed_wal LIKE '%%.history'"
    " AND pg_catalog.substr(a.last_failed_wal, 1, 8)"
    " <= pg_catalog.substr(a.last_archived_wal, 1, 8)"
    " OR a.last_failed_time <= a.last_archived_time,"
    " a.archived_count / NULLIF(pg_catalog.date_part('epoch', pg_catalog.now() -"
    " a.stats_reset), 0)"
    " FROM pg_catalog.pg_stat_archiver a;";

enum { /* columns of server_sql */
       COL_VERSION,
       COL_RECOVERY,
       COL_SUPER,
       COL_MONITOR,
       COL_BACKUP,
       COL_LSN,
       COL_TLI,
       COL_NOW,
       COL_START,
       COL_SYSTEMID,
       COL_ARCHIVED,
       COL_FAILED,
       COL_LAST_ARCHIVED,
       COL_LAST_FAILED,
       COL_ARCHIVED_AT,
       COL_FAILED_AT,
       COL_RESET_AT,
       COL_ARCHIVING,
       COL_PER_SECOND,
       COL_COUNT,
};

static double decimal(struct str text)
{
    struct str whole, part = text;
    uint64_t n = 0, f = 0;
    double scale = 1;

    if (!str_split(&part, '.', &whole) || !str_u64(whole, UINT64_MAX, &n)) {
        return 0;
    }
    part.n = part.n > 9 ? 9 : part.n;
    if (!str_u64(part, UINT64_MAX, &f)) {
        return (double)n;
    }
    for (size_t i = 0; i < part.n; i++) {
        scale *= 10;
    }
    return (double)n + (double)f / scale;
}

static void take_archiver(const struct pg_rows *r, struct arena *a, struct pg_facts *out)
{
    out->archiver.known = pg_text(r, 0, COL_ARCHIVED) != NULL;
    out->archiver.archived_count = pg_number(r, 0, COL_ARCHIVED);
    out->archiver.failed_count = pg_number(r, 0, COL_FAILED);
    out->archiver.last_archived_wal = pg_keep(a, r, 0, COL_LAST_ARCHIVED);
    out->archiver.last_failed_wal = pg_keep(a, r, 0, COL_LAST_FAILED);
    out->archiver.last_archived_us = (int64_t)pg_number(r, 0, COL_ARCHIVED_AT);
    out->archiver.last_failed_us = (int64_t)pg_number(r, 0, COL_FAILED_AT);
    out->archiver.stats_reset_us = (int64_t)pg_number(r, 0, COL_RESET_AT);
    out->archiver.is_archiving = pg_bool(r, 0, COL_ARCHIVING);
    out->archiver.per_second = decimal(pg_bytes(r, 0, COL_PER_SECOND));
}

static bool take_server(const struct pg_rows *r, struct arena *a, struct pg_facts *out,
                        struct err *err)
{
    struct str version, number_only = str_of("");
    uint64_t tli;

    if (r->rows != 1 || r->cols != COL_COUNT) {
        return err_set(err, ERR_QUERY, "", "", "the server tells nothing about itself");
    }
    version = pg_bytes(r, 0, COL_VERSION);
    (void)str_split(&version, ' ', &number_only); /* "15.18 (Debian 15.18-0+deb12u1)" */
    out->version_text = arena_strndup(a, number_only.p, number_only.n);
    out->in_recovery = pg_bool(r, 0, COL_RECOVERY);
    out->superuser = pg_bool(r, 0, COL_SUPER);
    out->monitor_rights = out->superuser || pg_bool(r, 0, COL_MONITOR);
    out->backup_rights =
        out->superuser || (pg_bool(r, 0, COL_MONITOR) && pg_bool(r, 0, COL_BACKUP));
    out->lsn = pg_position(r, 0, COL_LSN);
    if (str_hex_u64(pg_bytes(r, 0, COL_TLI), 0, &tli) && tli <= UINT32_MAX) {
        out->tli = (pg_tli)tli;
    }
    out->now_us = (int64_t)pg_number(r, 0, COL_NOW);
    out->start_us = (int64_t)pg_number(r, 0, COL_START);
    out->systemid = pg_keep(a, r, 0, COL_SYSTEMID);
    take_archiver(r, a, out);
    return true;
}

/* ---- settings ----------------------------------------------------------------------- */

enum setting_kind { SETTING_TEXT, SETTING_COUNT, SETTING_MEGABYTES, SETTING_BYTES32 };

#define TEXT(name)                                                                             \
    {                                                                                          \
#name, SETTING_TEXT, offsetof(struct pg_facts, name)                                   \
    }
#define COUNT(name, member)                                                                    \
    {                                                                                          \
#name, SETTING_COUNT, offsetof(struct pg_facts, member)                                \
    }
#define MB(name, member)                                                                       \
    {                                                                                          \
#name, SETTING_MEGABYTES, offsetof(struct pg_facts, member)                            \
    }
#define BYTES(name, member)                                                                    \
    {                                                                                          \
#name, SETTING_BYTES32, offsetof(struct pg_facts, member)                              \
    }

static const struct setting {
    const char *name;
    enum setting_kind kind;
    size_t at;
} settings[] = {
    TEXT(data_directory),
    TEXT(config_file),
    TEXT(hba_file),
    TEXT(ident_file),
    TEXT(wal_level),
    TEXT(archive_mode),
    TEXT(archive_command),
    TEXT(archive_library),
    TEXT(data_checksums),
    TEXT(hot_standby),
    TEXT(wal_compression),
    TEXT(synchronous_standby_names),
    TEXT(summarize_wal),
    TEXT(primary_slot_name),
    BYTES(wal_segment_size, wal_segment_size),
    COUNT(max_wal_senders, max_wal_senders),
    COUNT(max_replication_slots, max_replication_slots),
    COUNT(archive_timeout, archive_timeout_s),
    COUNT(checkpoint_timeout, checkpoint_timeout_s),
    COUNT(wal_sender_timeout, wal_sender_timeout_ms),
    MB(wal_keep_size, wal_keep_bytes),
    MB(max_slot_wal_keep_size, max_slot_wal_keep_bytes),
};

#define SETTINGS (sizeof settings / sizeof settings[0])

static void take_setting(const struct setting *s, const struct pg_rows *r, int row,
                         struct arena *a, struct pg_facts *out)
{
    void *member = (char *)out + s->at;
    const char *text;
    uint64_t n = pg_number(r, row, 1);
    int64_t bytes = SIZE_UNLIMITED;
    uint32_t bytes32 = (uint32_t)n;

    switch (s->kind) {
    case SETTING_TEXT:
        text = pg_keep(a, r, row, 1);
        memcpy(member, &text, sizeof text);
        break;
    case SETTING_COUNT:
        memcpy(member, &n, sizeof n);
        break;
    case SETTING_MEGABYTES:
        if (pg_u64(r, row, 1, &n) && n < INT64_MAX / (1024 * 1024)) {
            bytes = (int64_t)n * 1024 * 1024;
        }
        memcpy(member, &bytes, sizeof bytes);
        break;
    case SETTING_BYTES32:
        memcpy(member, &bytes32, sizeof bytes32);
        break;
    }
}

/* The settings we know, and the files any of them comes from, of which each is named once: the
 * server has sorted them. */
static void take_settings(const struct pg_rows *r, struct arena *a, struct pg_facts *out)
{
    const char **file = ARENA_ARRAY(a, (size_t)r->rows + 1, const char *);
    const char *last = "", *config;

    for (int row = 0; row < r->rows; row++) {
        for (size_t i = 0; i < SETTINGS; i++) {
            if (str_eq(pg_bytes(r, row, 0), settings[i].name)) {
                take_setting(&settings[i], r, row, a, out);
            }
        }
    }
    config = out->config_file;
    for (int row = 0; file && row < r->rows; row++) {
        struct str from = pg_bytes(r, row, 2);
        const char *kept;

        if (from.n && !str_eq(from, last) && !(config && str_eq(from, config)) &&
            (kept = pg_keep(a, r, row, 2)) != NULL) {
            file[out->included_files++] = last = kept;
        }
    }
    out->included_file = file;
}

static bool build_sql(const struct pg *pg, char *out, size_t cap)
{
    bool is_new = pg_version(pg) >= 150000;
    struct sbuf b;

    sbuf_init(&b, out, cap);
    sbuf_fmt(&b, server_sql,
             is_new ? "pg_catalog.pg_backup_start(text, boolean)"
                    : "pg_catalog.pg_start_backup(text, boolean, boolean)",
             is_new ? "pg_catalog.pg_backup_stop(boolean)"
                    : "pg_catalog.pg_stop_backup(boolean, boolean)");
    sbuf_add(&b, " SELECT name, setting, sourcefile FROM pg_catalog.pg_settings"
                 " WHERE sourcefile IS NOT NULL OR name IN (");
    for (size_t i = 0; i < SETTINGS; i++) {
        sbuf_fmt(&b, "%s'%s'", i ? ", " : "", settings[i].name);
    }
    sbuf_add(&b, ") ORDER BY sourcefile");
    return sbuf_ok(&b);
}

/* The two results in their order: the server, its settings. */
static bool take_answers(struct pg *pg, const struct task *t, struct arena *a,
                         struct pg_facts *out, struct err *err)
{
    bool ok = true;

    for (int part = 0; ok; part++) {
        struct pg_rows r = {0};
        enum pg_step step = pg_next(pg, t, &r, err);

        if (step == PG_STEP_END) {
            break;
        }
        ok = step == PG_STEP_ROWS;
        if (part == 0) {
            ok = ok && take_server(&r, a, out, err);
        } else if (ok) {
            take_settings(&r, a, out);
        }
        pg_rows_clear(&r);
    }
    return ok;
}

bool pg_facts_read(struct pg *pg, const struct task *t, struct arena *a, struct pg_facts *out,
                   struct err *err)
{
    char sql[6144];
    bool ok;

    *out = (struct pg_facts){.version = pg_version(pg),
                             .wal_keep_bytes = SIZE_UNLIMITED,
                             .max_slot_wal_keep_bytes = SIZE_UNLIMITED};
    ok = (build_sql(pg, sql, sizeof sql) ||
          err_set(err, ERR_MEMORY, "", "", "the question about the server is too long")) &&
         pg_send(pg, t, sql, err);
    ok = ok && take_answers(pg, t, a, out, err);
    if (ok && out->tli && wal_seg_size_ok(out->wal_segment_size)) {
        wal_seg_name(wal_seg_of_end(out->tli, out->lsn, out->wal_segment_size),
                     out->wal_segment_size, out->wal_name);
    }
    ok = ok && (!a->failed || arena_err(a, err));
    return ok || err_wrap(err, "read the facts of the server");
}

/* ---- sizes and tablespaces ---------------------------------------------------------- */

bool pg_size_read(struct pg *pg, const struct task *t, uint64_t *bytes, struct err *err)
{
    struct pg_rows r;

    if (!pg_query(pg, t,
                  "SELECT pg_catalog.sum(pg_catalog.pg_tablespace_size(oid))"
                  " FROM pg_catalog.pg_tablespace",
                  NULL, &r, err)) {
        return err_wrap(err, "read the size of the data");
    }
    *bytes = r.rows == 1 ? pg_number(&r, 0, 0) : 0;
    pg_rows_clear(&r);
    return true;
}

bool pg_tablespaces_read(struct pg *pg, const struct task *t, struct arena *a,
                         const struct tablespace **out, size_t *n, struct err *err)
{
    struct tablespace *list;
    struct pg_rows r;

    if (!pg_query(pg, t,
                  "SELECT spcname, oid, pg_catalog.pg_tablespace_location(oid)"
                  " FROM pg_catalog.pg_tablespace"
                  " WHERE pg_catalog.pg_tablespace_location(oid) <> '' ORDER BY spcname",
                  NULL, &r, err)) {
        return err_wrap(err, "read the tablespaces");
    }
    list = ARENA_ARRAY(a, (size_t)r.rows + 1, struct tablespace);
    for (int row = 0; list && row < r.rows; row++) {
        list[row] = (struct tablespace){.name = pg_keep(a, &r, row, 0),
                                        .oid = (uint32_t)pg_number(&r, row, 1),
                                        .location = pg_keep(a, &r, row, 2)};
    }
    *out = list;
    *n = (size_t)r.rows;
    pg_rows_clear(&r);
    return !a->failed || arena_err(a, err);
}

/* ---- slots ------------------------------------------------------------------------- */

static void take_slot(const struct pg_rows *r, struct pg_slot *out)
{
    const char *text;

    out->use = pg_bool(r, 0, 0) ? SLOT_ACTIVE : SLOT_IDLE;
    out->physical = str_eq(pg_bytes(r, 0, 1), "physical");
    out->active_pid = pg_number(r, 0, 2);
    out->restart_lsn = pg_position(r, 0, 3);
    text = pg_text(r, 0, 4);
    str_copy(out->wal_status, sizeof out->wal_status, text ? text : "");
    if (!str_i64(pg_bytes(r, 0, 5), &out->safe_wal_bytes)) {
        out->safe_wal_bytes = SIZE_UNLIMITED;
    } else if (out->safe_wal_bytes < 0) {
        out->safe_wal_bytes = 0;
    }
    text = pg_text(r, 0, 6);
    str_copy(out->invalidation, sizeof out->invalidation, text ? text : "");
    if (!out->invalidation[0] && strcmp(out->wal_status, "lost") == 0) {
        str_copy(out->invalidation, sizeof out->invalidation, "wal_removed");
    }
}

bool pg_slot_read(struct pg *pg, const struct task *t, const char *name, struct pg_slot *out,
                  struct err *err)
{
    const char *param[] = {name, NULL};
    struct pg_rows r;
    char sql[320];

    *out = (struct pg_slot){.use = SLOT_MISSING, .safe_wal_bytes = SIZE_UNLIMITED};
    str_copy(out->name, sizeof out->name, name);
    str_fmt(sql, sizeof sql,
            "SELECT active, slot_type, active_pid, restart_lsn, wal_status, safe_wal_size, %s"
            " FROM pg_catalog.pg_replication_slots WHERE slot_name = $1",
            pg_version(pg) >= 170000 ? "invalidation_reason" : "NULL");
    if (!pg_query(pg, t, sql, param, &r, err)) {
        return err_wrap(err, "read replication slot %s", name);
    }
    if (r.rows == 1) {
        take_slot(&r, out);
    }
    pg_rows_clear(&r);
    return true;
}

/* ---- a replication connection ------------------------------------------------------- */

bool pg_ident_read(struct pg *pg, const struct task *t, struct pg_ident *out, struct err *err)
{
    struct pg_rows r;
    uint64_t id, tli;
    bool ok;

    *out = (struct pg_ident){0};
    if (!pg_query(pg, t, "IDENTIFY_SYSTEM", NULL, &r, err)) {
        return err_wrap(err, "ask the server who it is");
    }
    ok = r.rows == 1 && r.cols >= 3 && pg_u64(&r, 0, 0, &id) && pg_u64(&r, 0, 1, &tli) &&
         tli > 0 && tli <= UINT32_MAX && pg_lsn_at(&r, 0, 2, &out->flushed) &&
         str_copy(out->systemid, sizeof out->systemid, pg_text(&r, 0, 0));
    out->tli = ok ? (pg_tli)tli : 0;
    pg_rows_clear(&r);
    return ok ||
           err_set(err, ERR_FORMAT, "", "IDENTIFY_SYSTEM", "the answer is not understood");
}

const char *pg_show_setting(struct pg *pg, const struct task *t, struct arena *a,
                            const char *name, struct err *err)
{
    const char *text = NULL;
    struct pg_rows r;
    char sql[96];

    if (!str_fmt(sql, sizeof sql, "SHOW %s", name)) {
        err_set(err, ERR_FORMAT, "", name, "not a name of a setting");
        return NULL;
    }
    if (!pg_query(pg, t, sql, NULL, &r, err)) {
        err_wrap(err, "read the setting %s", name);
        return NULL;
    }
    if (r.rows == 1 && r.cols == 1) {
        text = pg_keep(a, &r, 0, 0);
    }
    pg_rows_clear(&r);
    if (!text) {
        err_set(err, ERR_QUERY, "", name, "the server does not tell this setting");
    }
    return text;
}

bool pg_segment_size_read(struct pg *pg, const struct task *t, uint32_t *out, struct err *err)
{
    static const struct {
        const char *unit;
        uint64_t bytes;
    } units[] = {{"GB", UINT64_C(1) << 30}, {"MB", UINT64_C(1) << 20}, {"kB", 1024}, {"B", 1}};
    struct str text;
    struct arena a;
    uint64_t n = 0;
    bool ok = false;

    arena_init(&a, 4096);
    text = str_of(pg_show_setting(pg, t, &a, "wal_segment_size", err));
    if (text.n > 0) {
        ok = str_take_u64(&text, 1u << 30, &n);
        for (size_t i = 0; ok && i < sizeof units / sizeof units[0]; i++) {
            if (str_eq(text, units[i].unit)) {
                n *= units[i].bytes;
                break;
            }
        }
        ok = ok && wal_seg_size_ok(n);
        *out = ok ? (uint32_t)n : 0;
        if (!ok) {
            err_set(err, ERR_FORMAT, "", "wal_segment_size", "the answer is not understood");
        }
    }
    arena_release(&a);
    return ok;
}
