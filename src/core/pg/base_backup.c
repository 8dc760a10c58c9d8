/* SPDX-License-Identifier: PostgreSQL */
#include "pg/base_backup.h"

#include "barkeep/arena.h"
#include "pg/conn.h"

#include <string.h>

#define ARCHIVES_MAX 100000 /* tablespaces of one server that we believe in */
#define NEW_SHAPE    150000 /* the parenthesised grammar and the single COPY */

struct stream {
    const struct task *task;
    struct pg *pg;
    struct base_backup *run;
    struct arena *arena;
    struct base_backup_archive *list;
    size_t n;
    size_t begun;  /* archives */
    bool open;     /* an archive or the manifest */
    bool manifest; /* was begun */
};

bool base_backup_has_trailers(int server_version)
{
    return server_version >= NEW_SHAPE;
}

/* A literal of the replication grammar: quotes doubled, no escapes. */
static void add_quoted(struct sbuf *b, const char *text)
{
    sbuf_char(b, '\'');
    for (; *text; text++) {
        if (*text == '\'') {
            sbuf_char(b, '\'');
        }
        sbuf_char(b, *text);
    }
    sbuf_char(b, '\'');
}

static void add_compression(struct sbuf *b, const struct base_backup_spec *spec)
{
    const char *comma = "";

    sbuf_fmt(b, ", COMPRESSION '%s'", spec->compression);
    if (!spec->has_level && !spec->workers) {
        return;
    }
    sbuf_add(b, ", COMPRESSION_DETAIL '");
    if (spec->has_level) {
        sbuf_fmt(b, "level=%lld", (long long)spec->level);
        comma = ",";
    }
    if (spec->workers) {
        sbuf_fmt(b, "%sworkers=%lld", comma, (long long)spec->workers);
    }
    sbuf_char(b, '\'');
}

static bool can_be_asked(const struct base_backup_spec *spec, int server_version,
                         struct err *err)
{
    if (server_version < 130000) {
        return err_set(err, ERR_CONFIG, "Upgrade the server.", "",
                       "PostgreSQL %d.%d is older than 13", server_version / 10000,
                       server_version % 10000);
    }
    if (spec->max_rate_kib && (spec->max_rate_kib < 32 || spec->max_rate_kib > 1048576)) {
        return err_set(err, ERR_CONFIG, "Set a bandwidth limit between 32 and 1048576 KiB/s.",
                       "", "a limit of %u KiB/s", spec->max_rate_kib);
    }
    return !spec->compression || server_version >= NEW_SHAPE ||
           err_set(err, ERR_CONFIG, "Set backup_compression_location to client.", "",
                   "only PostgreSQL 15 and later compress a backup on the server");
}

bool base_backup_command(const struct base_backup_spec *spec, int server_version, char *out,
                         size_t cap, struct err *err)
{
    bool fast = spec->checkpoint == CHECKPOINT_FAST, is_new = server_version >= NEW_SHAPE;
    struct sbuf b;

    if (!can_be_asked(spec, server_version, err)) {
        return false;
    }
    sbuf_init(&b, out, cap);
    sbuf_add(&b, is_new ? "BASE_BACKUP (LABEL " : "BASE_BACKUP LABEL ");
    add_quoted(&b, spec->label);
    if (is_new) {
        sbuf_fmt(&b, ", PROGRESS, CHECKPOINT '%s', WAIT false, MANIFEST 'yes'",
                 fast ? "fast" : "spread");
        sbuf_fmt(&b, ", MANIFEST_CHECKSUMS '%s', TARGET 'client'",
                 digest_name(spec->checksums));
    } else {
        sbuf_fmt(&b, " PROGRESS%s NOWAIT MANIFEST 'yes'", fast ? " FAST" : "");
        sbuf_fmt(&b, " MANIFEST_CHECKSUMS '%s'", digest_name(spec->checksums));
    }
    if (spec->max_rate_kib) {
        sbuf_fmt(&b, "%s MAX_RATE %u", is_new ? "," : "", spec->max_rate_kib);
    }
    if (spec->tablespace_map) {
        sbuf_add(&b, is_new ? ", TABLESPACE_MAP" : " TABLESPACE_MAP");
    }
    if (spec->compression) {
        add_compression(&b, spec);
    }
    sbuf_add(&b, is_new ? ")" : "");
    return sbuf_ok(&b) || err_set(err, ERR_USAGE, "", spec->label, "too long a label");
}

void base_backup_free(struct base_backup_buf *buf)
{
    pg_copy_free(buf->mem);
    buf->mem = NULL;
}

static bool unexpected(const char *what, struct err *err)
{
    return err_set(err, ERR_FORMAT, "Check that the connection leads to a PostgreSQL server.",
                   "BASE_BACKUP", "the server's answer has no %s where it should", what);
}

/* A row of a position and a timeline: where the backup begins and ends. */
static bool take_position(struct stream *s, pg_lsn *lsn, pg_tli *tli, struct err *err)
{
    struct pg_rows r = {0};
    uint64_t v = 0;
    bool ok;

    switch (pg_next(s->pg, s->task, &r, err)) {
    case PG_STEP_FAILED:
        return false;
    case PG_STEP_ROWS:
        break;
    default:
        return unexpected("position", err);
    }
    ok = r.rows == 1 && r.cols >= 2 && pg_lsn_at(&r, 0, 0, lsn) && pg_u64(&r, 0, 1, &v) && v &&
         v <= UINT32_MAX;
    *tli = (pg_tli)v;
    pg_rows_clear(&r);
    return ok || unexpected("position", err);
}

static bool take_archive_row(struct stream *s, const struct pg_rows *r, int row,
                             struct err *err)
{
    struct base_backup_archive *a = &s->list[row];
    const char *oid = pg_text(r, row, 0), *location = pg_text(r, row, 1);
    uint64_t v = 0;

    if ((oid == NULL) != (row == r->rows - 1) || (oid == NULL) != (location == NULL)) {
        return unexpected("list of tablespaces with the base at its end", err);
    }
    if (oid) {
        if (!str_u64(str_of(oid), UINT32_MAX, &v) || v == 0) {
            return unexpected("tablespace", err);
        }
        a->oid = (uint32_t)v;
        a->location = arena_strdup(s->arena, location);
        if (!a->location) {
            return arena_err(s->arena, err);
        }
    }
    for (int i = 0; i < row; i++) {
        if (s->list[i].oid == a->oid) {
            return unexpected("tablespace that differs from the others", err);
        }
    }
    if (pg_text(r, row, 2) && pg_u64(r, row, 2, &v) && v < UINT64_MAX / 1024) {
        a->size_bytes = v * 1024;
    }
    return true;
}

static bool take_list_rows(struct stream *s, const struct pg_rows *r, struct err *err)
{
    if (r->rows < 1 || r->rows > ARCHIVES_MAX || r->cols < 3) {
        return unexpected("list of tablespaces", err);
    }
    s->n = (size_t)r->rows;
    s->list = ARENA_ARRAY(s->arena, s->n, struct base_backup_archive);
    if (!s->list) {
        return arena_err(s->arena, err);
    }
    for (int i = 0; i < r->rows; i++) {
        if (!take_archive_row(s, r, i, err)) {
            return false;
        }
    }
    return true;
}

static bool take_list(struct stream *s, struct err *err)
{
    const struct base_backup_sink *sink = &s->run->sink;
    struct pg_rows r = {0};
    bool ok;

    switch (pg_next(s->pg, s->task, &r, err)) {
    case PG_STEP_FAILED:
        return false;
    case PG_STEP_ROWS:
        break;
    default:
        return unexpected("list of tablespaces", err);
    }
    ok = take_list_rows(s, &r, err);
    pg_rows_clear(&r);
    return ok && sink->archives(sink->ctx, s->list, s->n, err);
}

static bool take_copy_out(struct stream *s, struct err *err)
{
    struct pg_rows r = {0};

    switch (pg_next(s->pg, s->task, &r, err)) {
    case PG_STEP_FAILED:
        return false;
    case PG_STEP_COPY_OUT:
        return true;
    default:
        pg_rows_clear(&r);
        return unexpected("data", err);
    }
}

static bool finish_open(struct stream *s, struct err *err)
{
    bool was = s->open;

    s->open = false;
    return !was || s->run->sink.archive_end(s->run->sink.ctx, err);
}

static bool begin_archive(struct stream *s, struct err *err)
{
    const struct base_backup_sink *sink = &s->run->sink;

    if (!finish_open(s, err)) {
        return false;
    }
    if (s->manifest || s->begun == s->n) {
        return unexpected("archive that was announced", err);
    }
    s->open = true;
    return sink->archive(sink->ctx, &s->list[s->begun++], err);
}

static bool begin_manifest(struct stream *s, struct err *err)
{
    const struct base_backup_sink *sink = &s->run->sink;

    if (!finish_open(s, err)) {
        return false;
    }
    if (s->manifest || s->begun != s->n) {
        return unexpected("manifest after all archives", err);
    }
    s->open = true;
    s->manifest = true;
    return sink->manifest(sink->ctx, err);
}

/* 'n': two C strings, the archive's name and its tablespace's path. They come in the order of
 * the list, so both only confirm it. */
static bool check_archive_name(const struct stream *s, struct str msg, struct err *err)
{
    const struct base_backup_archive *a = &s->list[s->begun - 1];
    struct str name, path, rest = str_skip(msg, 1);
    uint64_t oid = 0;

    if (!str_split(&rest, '\0', &name) || !str_split(&rest, '\0', &path) ||
        !str_eq(path, a->location ? a->location : "")) {
        return unexpected("archive in the announced order", err);
    }
    if (a->oid ? !str_take_u64(&name, UINT32_MAX, &oid) || oid != a->oid
               : !str_take_lit(&name, "base")) {
        return unexpected("archive in the announced order", err);
    }
    return str_eq(name, s->run->spec.suffix ? s->run->spec.suffix : ".tar") ||
           unexpected("archive of the kind that was asked for", err);
}

/* A message of the single COPY. *keep: its buffer was handed on. */
static bool take_message(struct stream *s, struct base_backup_buf buf, bool *keep,
                         struct err *err)
{
    const struct base_backup_sink *sink = &s->run->sink;
    struct str msg = str_n(buf.p, buf.n);

    switch (msg.n ? msg.p[0] : '\0') {
    case 'n':
        return begin_archive(s, err) && check_archive_name(s, msg, err);
    case 'm':
        return begin_manifest(s, err);
    case 'd':
        if (!s->open) {
            return unexpected("archive before its data", err);
        }
        buf.p++;
        buf.n--;
        *keep = true;
        return sink->data(sink->ctx, buf, err);
    case 'p':
        return true;
    default:
        return unexpected("message of a known kind", err);
    }
}

enum shape { SHAPE_RAW, SHAPE_MESSAGES };

static bool take_copy(struct stream *s, enum shape shape, struct err *err)
{
    const struct base_backup_sink *sink = &s->run->sink;
    enum pg_copy got;
    char *p;
    size_t n;

    while ((got = pg_copy_get(s->pg, s->task, &p, &n, err)) == PG_COPY_DATA) {
        struct base_backup_buf buf = {p, p, n};
        bool keep = shape == SHAPE_RAW;
        bool ok = keep ? sink->data(sink->ctx, buf, err) : take_message(s, buf, &keep, err);
        if (!keep) {
            base_backup_free(&buf);
        }
        if (!ok) {
            return false;
        }
    }
    return got == PG_COPY_END;
}

static bool take_old_shape(struct stream *s, struct err *err)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!take_copy_out(s, err) || !begin_archive(s, err) || !take_copy(s, SHAPE_RAW, err)) {
            return false;
        }
    }
    return take_copy_out(s, err) && begin_manifest(s, err) && take_copy(s, SHAPE_RAW, err);
}

static bool take_new_shape(struct stream *s, struct err *err)
{
    return take_copy_out(s, err) && take_copy(s, SHAPE_MESSAGES, err);
}

/* The server's last word. A copy that broke off ends as one that is complete does: only the row
 * that follows tells them apart, so the last archive is ended after it. With that row
 * everything is here: bad page checksums are a fact about the backup, not a failure of the
 * transfer. */
static bool take_end(struct stream *s, struct err *err)
{
    struct base_backup_result *result = &s->run->result;
    struct err said = {0};

    if (!take_position(s, &result->end_lsn, &result->end_tli, err) || !finish_open(s, err)) {
        return false;
    }
    if (!s->manifest) {
        return unexpected("manifest", err);
    }
    if (pg_drain(s->pg, s->task, &said)) {
        return true;
    }
    if (said.code == ERR_QUERY && strcmp(pg_sqlstate(s->pg), "XX001") == 0) {
        result->corrupt = true;
        str_copy(result->corrupt_why, sizeof result->corrupt_why, said.why);
        return true;
    }
    *err = said;
    return false;
}

static bool take_all(struct stream *s, struct err *err)
{
    struct base_backup_result *result = &s->run->result;
    const struct base_backup_sink *sink = &s->run->sink;

    if (!take_position(s, &result->start_lsn, &result->start_tli, err) ||
        !sink->start(sink->ctx, result->start_lsn, result->start_tli, err) ||
        !take_list(s, err)) {
        return false;
    }
    return (result->trailers ? take_new_shape(s, err) : take_old_shape(s, err)) &&
           take_end(s, err);
}

bool base_backup_run(const struct task *task, struct pg *pg, struct base_backup *run,
                     struct err *err)
{
    struct arena arena;
    struct stream s = {.task = task, .pg = pg, .run = run, .arena = &arena};
    char sql[1024];
    bool ok;

    run->result =
        (struct base_backup_result){.trailers = base_backup_has_trailers(pg_version(pg))};
    if (!base_backup_command(&run->spec, pg_version(pg), sql, sizeof sql, err)) {
        return false;
    }
    arena_init(&arena, (size_t)64 << 20);
    task_progress(task, &(struct progress){.phase = "waiting for checkpoint"});
    ok = pg_send(pg, task, sql, err) && take_all(&s, err);
    if (!ok) {
        pg_shutdown(pg); /* whatever it still sends, nobody will read it */
    }
    arena_release(&arena);
    return ok;
}
