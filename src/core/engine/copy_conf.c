/* SPDX-License-Identifier: PostgreSQL */
/* copy_conf.c - what a started copy is told. Pure. */
#include "engine/copy_in.h"
#include "engine/restore_conf.h"

#include "base/clock.h"

#include <inttypes.h>
#include <string.h>

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define TEXT_CAP  ((size_t)128 * 1024)
#define ORIGINS   "1000" /* replication origins of the original: too few slots are fatal */
#define NOTE      "# barkeep: "
#define EXTRA_MAX 24 /* computed settings */

/* What no original may bring along. Each stands on the command line, which wins over
 * postgresql.auto.conf. Values that name what this host may not have (libraries, locales,
 * compression, huge pages) would keep the server from starting; the others reach outside. */
static const struct fixed {
    const char *name, *value;
    int since, until; /* major versions that know it; 0: no bound */
} fixed[] = {
    /* nothing leaves it */
    {"archive_mode", "off", 0, 0},
    {"archive_command", "", 0, 0},
    {"archive_library", "", 15, 0},
    {"archive_cleanup_command", "", 0, 0},
    {"primary_conninfo", "", 0, 0},
    {"primary_slot_name", "", 0, 0},
    {"sync_replication_slots", "off", 17, 0},
    {"synchronized_standby_slots", "", 17, 0},
    {"synchronous_standby_names", "", 0, 0},
    {"max_logical_replication_workers", "0", 0, 0},
    {"hot_standby_feedback", "off", 0, 0},
    {"bonjour", "off", 0, 0},
    {"ssl", "off", 0, 0},
    /* nothing of the original's runs in it */
    {"shared_preload_libraries", "", 0, 0},
    {"session_preload_libraries", "", 0, 0},
    {"local_preload_libraries", "", 0, 0},
    {"dynamic_library_path", "$libdir", 0, 0},
    {"jit", "off", 0, 0},
    {"event_triggers", "off", 17, 0},
    {"autovacuum", "off", 0, 0},
    {"summarize_wal", "off", 17, 0},
    /* recovery goes on to its target, and can be looked at */
    {"hot_standby", "on", 0, 0},
    {"recovery_min_apply_delay", "0", 0, 0},
    {"promote_trigger_file", "", 0, 15},
    {"restart_after_crash", "off", 0, 0},
    {"fsync", "on", 0, 0},
    {"full_page_writes", "on", 0, 0},
    /* it starts on this host */
    {"shared_buffers", "64MB", 0, 0},
    {"huge_pages", "off", 0, 0},
    {"shared_memory_type", "mmap", 0, 0},
    {"dynamic_shared_memory_type", "posix", 0, 0},
    {"min_dynamic_shared_memory", "0", 14, 0},
    {"wal_buffers", "-1", 0, 0},
    {"max_stack_depth", "2MB", 0, 0},
    {"wal_compression", "off", 0, 0},
    {"wal_sync_method", "fdatasync", 0, 0},
    {"default_toast_compression", "pglz", 14, 0},
    {"io_method", "sync", 18, 0},
    {"stats_temp_directory", "pg_stat_tmp", 0, 14},
    {"max_replication_slots", ORIGINS, 0, 0},
    {"max_active_replication_origins", ORIGINS, 18, 0},
    {"lc_messages", "C", 0, 0},
    {"lc_monetary", "C", 0, 0},
    {"lc_numeric", "C", 0, 0},
    {"lc_time", "C", 0, 0},
    {"timezone", "UTC", 0, 0},
    {"log_timezone", "UTC", 0, 0},
    /* its log is the file we give it, in words that copy_log.c reads */
    {"logging_collector", "off", 0, 0},
    {"log_destination", "stderr", 0, 0},
    {"log_line_prefix", "%m [%p] %b ", 0, 0},
    {"log_min_messages", "warning", 0, 0},
    {"log_error_verbosity", "default", 0, 0},
    {"log_statement", "none", 0, 0},
    {"log_min_duration_statement", "-1", 0, 0},
    {"log_connections", "off", 0, 0},
    {"log_disconnections", "off", 0, 0},
    {"log_startup_progress_interval", "1s", 15, 0},
    /* nobody of ours is thrown out of it */
    {"statement_timeout", "0", 0, 0},
    {"lock_timeout", "0", 0, 0},
    {"idle_in_transaction_session_timeout", "0", 0, 0},
    {"idle_session_timeout", "0", 14, 0},
    {"transaction_timeout", "0", 17, 0},
    /* only we come in */
    {"unix_socket_group", "", 0, 0},
    {"unix_socket_permissions", "0700", 0, 0},
};

struct list {
    struct arena *a;
    struct copy_setting *item;
    size_t n;
};

static void put(struct list *l, const char *name, const char *value)
{
    l->item[l->n++] = (struct copy_setting){name, value};
}

static void put_number(struct list *l, const char *name, int64_t value)
{
    put(l, name, arena_fmt(l->a, "%" PRId64, value));
}

static int64_t at_least(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A standby must not have less than its original had; more does no harm. */
static void put_needs(struct list *l, const struct copy_conf *c)
{
    const struct wal_settings *n = &c->need;
    int64_t seg_mb = c->seg_size / (1024 * 1024);

    put_number(l, "max_connections", at_least(n->max_connections, 40));
    put_number(l, "max_worker_processes", at_least(n->max_worker_processes, 8));
    put_number(l, "max_wal_senders", at_least(n->max_wal_senders, 10));
    put_number(l, "max_prepared_transactions", at_least(n->max_prepared_xacts, 0));
    put_number(l, "max_locks_per_transaction", at_least(n->max_locks_per_xact, 64));
    put(l, "superuser_reserved_connections", "3");
    if (c->major >= 16) {
        put(l, "reserved_connections", "0");
    }
    put(l, "wal_level", n->wal_level >= 2 ? "logical" : "replica");
    put(l, "track_commit_timestamp", c->commit_timestamps ? "on" : "off");
    /* The defaults of a server whose file says nothing are too small for large segments. */
    put(l, "min_wal_size", arena_fmt(l->a, "%" PRId64 "MB", at_least(80, 5 * seg_mb)));
    put(l, "max_wal_size", arena_fmt(l->a, "%" PRId64 "MB", at_least(1024, 16 * seg_mb)));
}

static const char *cluster_name(struct arena *a, const char *server)
{
    char text[64]; /* NAMEDATALEN */

    str_fmt(text, sizeof text, "%.50s RESTORED", server);
    return arena_strdup(a, text);
}

struct copy_settings copy_conf_settings(struct arena *a, const struct copy_conf *c)
{
    struct list l = {.a = a};

    l.item = ARENA_ARRAY(a, COUNT(fixed) + EXTRA_MAX + c->recovery.n, struct copy_setting);
    if (!l.item) {
        return (struct copy_settings){0};
    }
    put(&l, "data_directory", c->dest);
    put(&l, "hba_file", arena_fmt(a, "%s/pg_hba.conf", c->dir));
    put(&l, "ident_file", arena_fmt(a, "%s/pg_ident.conf", c->dir));
    put(&l, "external_pid_file", arena_fmt(a, "%s/pid", c->dir)); /* "" is complained about */
    put(&l, "listen_addresses", c->is_tcp ? "127.0.0.1" : "");
    put_number(&l, "port", c->port);
    put(&l, "unix_socket_directories", c->socket_dir);
    put(&l, "cluster_name", cluster_name(a, c->server));
    for (size_t i = 0; i < c->recovery.n; i++) {
        put(&l, c->recovery.item[i].name, c->recovery.item[i].value);
    }
    put(&l, "recovery_end_command", c->end_command);
    put_needs(&l, c);
    for (size_t i = 0; i < COUNT(fixed); i++) {
        const struct fixed *f = &fixed[i];

        if (c->major >= f->since && (!f->until || c->major <= f->until)) {
            put(&l, f->name, f->value);
        }
    }
    return a->failed ? (struct copy_settings){0} : (struct copy_settings){l.item, l.n};
}

const char *copy_conf_text(struct arena *a, const struct copy_conf *c)
{
    struct copy_settings s = copy_conf_settings(a, c);
    char *mem = arena_alloc(a, TEXT_CAP);
    struct sbuf b;

    if (!mem || !s.n) {
        return NULL;
    }
    sbuf_init(&b, mem, TEXT_CAP);
    sbuf_add(&b,
             "# Of barkeep, for looking at a restored cluster: written anew at each start.\n"
             "# The same settings stand on the server's command line.\n");
    for (size_t i = 0; i < s.n; i++) {
        sbuf_fmt(&b, "%s = ", s.item[i].name);
        if (!conf_quote(&b, str_of(s.item[i].value))) {
            return NULL;
        }
        sbuf_char(&b, '\n');
    }
    return sbuf_ok(&b) ? mem : NULL;
}

/* The directory of the socket is ours alone. Over TCP anybody on this host can come: only who
 * has a password in the restored cluster gets in. */
const char *copy_hba_text(bool is_tcp)
{
    return is_tcp ? "local all all trust\nhost all all 127.0.0.1/32 md5\n"
                  : "local all all trust\n";
}

const char *const *copy_argv(struct arena *a, const char *program, const struct copy_conf *c)
{
    struct copy_settings s = copy_conf_settings(a, c);
    const char **argv = ARENA_ARRAY(a, 2 * s.n + 8, const char *);
    size_t n = 0;

    if (!argv || !s.n) {
        return NULL;
    }
    argv[n++] = program;
    argv[n++] = "-D";
    argv[n++] = c->dest;
    argv[n++] = "-c";
    argv[n++] = arena_fmt(a, "config_file=%s/postgresql.conf", c->dir);
    for (size_t i = 0; i < s.n; i++) {
        argv[n++] = "-c";
        argv[n++] = arena_fmt(a, "%s=%s", s.item[i].name, s.item[i].value);
    }
    return a->failed ? NULL : argv;
}

/* ---- what restore wrote ------------------------------------------------------------------- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '.';
}

static char escaped(char c)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *at = c ? strchr(from, c) : NULL;

    return at ? to[at - from] : c;
}

/* 'it''s' -> it's, as guc-file.l reads it (octal escapes are never written by us). Without
 * quotes up to a blank or '#'. false: no closing quote. */
static bool unquote(struct str v, char *out, size_t cap)
{
    size_t n = 0, i = 0;

    if (!str_take_char(&v, '\'')) {
        while (i < v.n && v.p[i] != ' ' && v.p[i] != '\t' && v.p[i] != '#') {
            i++;
        }
        return str_fmt(out, cap, "%.*s", (int)i, v.p);
    }
    for (; i < v.n && n + 1 < cap; i++) {
        char c = v.p[i];

        if (c == '\'' && (i + 1 == v.n || v.p[i + 1] != '\'')) {
            out[n] = '\0';
            return true;
        }
        if (c == '\\' || c == '\'') {
            i++;
        }
        if (i < v.n) {
            out[n++] = c == '\\' ? escaped(v.p[i]) : v.p[i];
        }
    }
    return false;
}

const char *copy_conf_value(struct arena *a, struct str text, const char *key)
{
    struct str line, found = {0};
    char *out;

    while (str_line(&text, &line)) {
        size_t n = 0;

        line = str_trim(line);
        while (n < line.n && is_word(line.p[n])) {
            n++;
        }
        if (str_eq_nocase(str_n(line.p, n), key)) {
            found = str_trim(str_skip(line, n));
            (void)str_take_char(&found, '=');
            found = str_trim(found);
        }
    }
    if (!found.p) {
        return NULL;
    }
    out = arena_alloc(a, found.n + 1);
    return out && unquote(found, out, found.n + 1) ? out : NULL;
}

void copy_notes_parse(struct arena *a, struct str info, struct copy_notes *out)
{
    struct str line;
    struct time_text when;

    *out = (struct copy_notes){0};
    while (str_line(&info, &line)) {
        if (!str_take_lit(&line, NOTE)) {
            continue;
        }
        if (str_take_lit(&line, "backup ")) {
            out->backup_id = arena_strndup(a, line.p, line.n);
        } else if (str_take_lit(&line, "conf ")) {
            out->conf = arena_strndup(a, line.p, line.n);
        } else if (str_take_lit(&line, "wal ")) {
            out->wal_dir = arena_strndup(a, line.p, line.n);
        } else if (str_take_lit(&line, "until ") && time_parse(line, &when) &&
                   when.has_offset) {
            out->until_us = when.stamp.us;
        }
    }
}
