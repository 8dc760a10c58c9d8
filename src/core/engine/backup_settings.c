/* SPDX-License-Identifier: PostgreSQL */
#include "backup_in.h"

#include "base/digest.h"

#include <string.h>

#define VERSION_AUTH_INCLUDES 160000

#define FILE_MAX     ((size_t)16 * 1024 * 1024) /* of a configuration file */
#define SETTINGS_MAX ((size_t)4 * 1024 * 1024)

/* Without what our session has set for itself, whose files would not be seen. */
#define PLAINLY(sql) "BEGIN; RESET ALL; " sql "; ROLLBACK"

static const char settings_sql[] = PLAINLY(
    "SELECT name, setting, unit, source, sourcefile, sourceline FROM pg_catalog.pg_settings "
    "ORDER BY name");
static const char files_sql[] =
    PLAINLY("SELECT DISTINCT sourcefile FROM pg_catalog.pg_settings "
            "WHERE sourcefile IS NOT NULL ORDER BY sourcefile");
/* What pg_hba.conf and pg_ident.conf include; a file whose every line is a comment has no row,
 * and no meaning either. */
static const char auth_sql[] = "SELECT file_name FROM pg_catalog.pg_hba_file_rules UNION "
                               "SELECT file_name FROM pg_catalog.pg_ident_file_mappings "
                               "ORDER BY 1";
static const char read_sql[] =
    "SELECT pg_catalog.encode(pg_catalog.pg_read_binary_file($1, 0, 16777217), 'hex')";

/* A field as COPY writes it. */
static void put_field(struct sbuf *b, const char *text)
{
    static const char plain[] = "\\\t\n\r", letter[] = "\\tnr";

    if (!text) {
        sbuf_add(b, "\\N");
        return;
    }
    for (; *text; text++) {
        const char *at = strchr(plain, *text);
        if (at) {
            sbuf_char(b, '\\');
            sbuf_char(b, letter[at - plain]);
        } else {
            sbuf_char(b, *text);
        }
    }
}

static bool save_rows(struct backup_run *r, const struct pg_rows *rows, const char *path,
                      struct err *err)
{
    struct arena_mark mark = arena_mark(&r->arena);
    char *mem = arena_alloc(&r->arena, SETTINGS_MAX);
    struct sbuf b;
    bool ok;

    if (!mem) {
        return arena_err(&r->arena, err);
    }
    sbuf_init(&b, mem, SETTINGS_MAX);
    for (int row = 0; row < rows->rows; row++) {
        for (int col = 0; col < rows->cols; col++) {
            put_field(&b, pg_text(rows, row, col));
            sbuf_char(&b, col + 1 < rows->cols ? '\t' : '\n');
        }
    }
    ok = sbuf_ok(&b)
             ? file_replace(path, str_n(b.p, b.len), err)
             : err_set(err, ERR_FORMAT, "", "pg_settings", "more than %zu bytes", SETTINGS_MAX);
    r->bytes += ok ? b.len : 0;
    arena_reset(&r->arena, mark);
    return ok;
}

static bool ask_plainly(struct backup_run *r, const char *sql, struct pg_rows *out,
                        struct err *err)
{
    struct err ignored;

    if (pg_query(r->sql, r->task, sql, NULL, out, err)) {
        return true;
    }
    (void)!pg_query(r->sql, r->task, "ROLLBACK", NULL, NULL, &ignored);
    return false;
}

bool backup_files_read(struct backup_run *r, struct err *err)
{
    struct pg_facts *f = &r->facts;
    struct pg_rows rows = {0};
    struct err ignored;
    const char **file;
    size_t n = 0;

    if (!ask_plainly(r, files_sql, &rows, &ignored)) {
        return true;
    }
    file = ARENA_ARRAY(&r->arena, (size_t)rows.rows + 1, const char *);
    for (int i = 0; file && i < rows.rows; i++) {
        const char *name = pg_text(&rows, i, 0);

        if (!f->config_file || strcmp(name, f->config_file) != 0) {
            file[n++] = arena_strdup(&r->arena, name);
        }
    }
    pg_rows_clear(&rows);
    f->included_file = file;
    f->included_files = n;
    return !r->arena.failed || arena_err(&r->arena, err);
}

static bool save_settings(struct backup_run *r, const char *dir, struct err *err)
{
    struct pg_rows rows = {0};
    char path[PATH_CAP];
    bool ok;

    if (!path_join(path, dir, "pg_settings", err) ||
        !ask_plainly(r, settings_sql, &rows, err)) {
        return false;
    }
    ok = save_rows(r, &rows, path, err);
    pg_rows_clear(&rows);
    return ok;
}

static bool is_inside(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    return strncmp(path, dir, n) == 0 && path[n] == '/';
}

/* The hexadecimal text of a file -> dir/<its whole path>. */
static bool save_bytes(struct backup_run *r, const char *dir, const char *name, struct str hex,
                       struct err *err)
{
    struct arena_mark mark = arena_mark(&r->arena);
    char path[PATH_CAP], parent[PATH_CAP];
    size_t n = hex.n / 2;
    char *bytes;
    bool ok;

    if (n > FILE_MAX) {
        return err_set(err, ERR_FORMAT, "", name, "more than %zu bytes", FILE_MAX);
    }
    bytes = arena_alloc(&r->arena, n + 1);
    if (!bytes) {
        return arena_err(&r->arena, err);
    }
    ok = hex_bytes(hex, (uint8_t *)bytes, n) || err_set(err, ERR_FORMAT, "", name, "not bytes");
    if (ok && path_join(path, dir, name, err)) {
        path_dir(path, parent);
        ok = dir_make(parent, err) && file_replace(path, str_n(bytes, n), err);
    } else {
        ok = false;
    }
    r->bytes += ok ? n : 0;
    arena_reset(&r->arena, mark);
    return ok;
}

/* The server may not let us read its files: the backup is good without them, so say it. */
static bool save_file(struct backup_run *r, const char *dir, const char *name, struct err *err)
{
    const char *params[] = {name, NULL};
    struct pg_rows rows = {0};
    struct err said = {0};
    bool ok = true;

    if (!name || name[0] != '/' || !path_is_below(str_of(name + 1)) ||
        is_inside(name, r->facts.data_directory)) {
        return true;
    }
    if (!pg_query(r->sql, r->task, read_sql, params, &rows, &said)) {
        if (said.code != ERR_QUERY) {
            *err = said;
            return false;
        }
        task_say(r->task, SAY_WARN,
                 "configuration file '%s' lies outside the data directory and is not saved: %s",
                 name, said.why);
        return true;
    }
    if (rows.rows == 1 && pg_text(&rows, 0, 0)) {
        ok = save_bytes(r, dir, name + 1, pg_bytes(&rows, 0, 0), err);
    }
    pg_rows_clear(&rows);
    return ok;
}

static bool is_included(const struct pg_facts *f, const char *name)
{
    return name && (!f->hba_file || strcmp(name, f->hba_file) != 0) &&
           (!f->ident_file || strcmp(name, f->ident_file) != 0);
}

/* Include lines in these files exist since 16; who may not see the rules may not read the
 * files. */
static bool save_auth(struct backup_run *r, const char *own, struct err *err)
{
    struct pg_rows rows = {0};
    struct err said = {0};
    char dir[PATH_CAP];
    bool ok = true;

    if (r->facts.version < VERSION_AUTH_INCLUDES) {
        return true;
    }
    if (!path_join(dir, own, "auth", err)) {
        return false;
    }
    if (!pg_query(r->sql, r->task, auth_sql, NULL, &rows, &said)) {
        if (said.code != ERR_QUERY) {
            *err = said;
            return false;
        }
        task_say(r->task, SAY_WARN,
                 "files that pg_hba.conf or pg_ident.conf include are not saved: %s", said.why);
        return true;
    }
    for (int i = 0; ok && i < rows.rows; i++) {
        const char *name = pg_text(&rows, i, 0);

        ok = !is_included(&r->facts, name) || save_file(r, dir, name, err);
    }
    pg_rows_clear(&rows);
    return ok;
}

bool backup_settings_save(struct backup_run *r, struct err *err)
{
    const struct pg_facts *f = &r->facts;
    char own[PATH_CAP], dir[PATH_CAP];

    if (!path_join(own, r->dir, ".barkeep", err) || !path_join(dir, own, "config", err) ||
        !dir_make(dir, err) || !save_settings(r, own, err)) {
        return false;
    }
    if (cfg_csv_has(r->srv->backup_options, "external_configuration")) {
        return true;
    }
    if (!save_auth(r, own, err)) {
        return false;
    }
    if (!save_file(r, dir, f->config_file, err) || !save_file(r, dir, f->hba_file, err) ||
        !save_file(r, dir, f->ident_file, err)) {
        return false;
    }
    for (size_t i = 0; i < f->included_files; i++) {
        if (!save_file(r, dir, f->included_file[i], err)) {
            return false;
        }
    }
    return true;
}
