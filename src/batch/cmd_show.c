/* SPDX-License-Identifier: PostgreSQL */
/* show-backup: Barman's blocks, rows and widths. */
#include "list_text.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "repo/backup_info.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct show {
    const struct backup_show *of;
    const struct backup *b;
    void (*put)(void *ctx, const char *line);
    void *ctx;
};

#define LINE_CAP 4096
#define DAMAGES  8 /* segments that are named */

static void line(struct show *s, const char *text)
{
    s->put(s->ctx, text);
}

/* The label's column is so many characters wide, not bytes. */
static void row(struct show *s, const char *indent, int width, const char *label,
                const char *value)
{
    char text[LINE_CAP];

    for (const char *p = label; *p; p++) {
        width += ((unsigned char)*p & 0xc0) == 0x80;
    }
    str_fmt(text, sizeof text, "%s%-*s: %s", indent, width, label, value);
    line(s, text);
}

static void general(struct show *s, const char *label, const char *value)
{
    row(s, "  ", 23, label, value);
}

static void nested(struct show *s, const char *label, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void nested(struct show *s, const char *label, const char *fmt, ...)
{
    char value[LINE_CAP];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    row(s, "    ", 21, label, value);
}

static const char *or_none(const char *text)
{
    return text && *text ? text : "None";
}

static const char *size_text(uint64_t bytes, char out[FMT_CAP])
{
    return fmt_size((int64_t)bytes, out);
}

static const char *moment_text(struct moment m, char out[STAMP_CAP])
{
    return m.known ? stamp_iso((struct stamp){m.us, m.offset_s}, out) : "None";
}

static void show_general(struct show *s)
{
    const struct backup *b = s->b;
    char text[FMT_CAP];

    str_fmt(text, sizeof text, "Backup %s:", b->id);
    line(s, text);
    if (b->backup_name) {
        general(s, "Backup Name", b->backup_name);
    }
    general(s, "Server Name", or_none(b->server_name));
    if (b->systemid) {
        general(s, "System Id", b->systemid);
    }
    general(s, "Status", backup_status_name(b->status));
    if (backup_copy_done(b)) {
        str_fmt(text, sizeof text, "%d", b->version);
        general(s, "PostgreSQL Version", text);
        general(s, "PGDATA directory", or_none(b->pgdata));
        if (b->cluster_size) {
            general(s, "Estimated Cluster Size", size_text(b->cluster_size, text));
        }
    }
    line(s, "");
    if (b->data_checksums || b->summarize_wal) {
        line(s, "  Server information:");
        if (b->data_checksums) {
            nested(s, "Checksums", "%s", b->data_checksums);
        }
        if (b->summarize_wal) {
            nested(s, "WAL summarizer", "%s", b->summarize_wal);
        }
        line(s, "");
    }
}

static void show_tablespaces(struct show *s)
{
    if (!s->b->tablespaces) {
        return;
    }
    line(s, "  Tablespaces:");
    for (size_t i = 0; i < s->b->tablespaces; i++) {
        const struct tablespace *t = &s->b->tablespace[i];
        nested(s, t->name, "%s (oid: %" PRIu32 ")", t->location, t->oid);
    }
    line(s, "");
}

static void show_sizes(struct show *s)
{
    const struct backup *b = s->b;
    uint64_t on_disk = b->deduplicated_size ? b->deduplicated_size : b->size;
    char text[FMT_CAP], more[FMT_CAP];

    if (s->of->wal->size) {
        nested(s, "Backup Size", "%s (%s with WALs)", size_text(on_disk, text),
               size_text(s->of->size_with_wals, more));
    } else {
        nested(s, "Backup Size", "%s", size_text(on_disk, text));
    }
    if (b->compression && strcmp(b->compression, "none") != 0) {
        nested(s, "Backup Compression", "%s", b->compression);
    }
    if (s->of->wal->size) {
        nested(s, "WAL Size", "%s", size_text(s->of->wal->size, text));
    }
    if (s->of->type == BACKUP_RSYNC || s->of->type == BACKUP_INCREMENTAL) {
        nested(s, "Resources saved", "%s (%.2f%%)", fmt_size_real(s->of->saved_bytes, text),
               s->of->saved_ratio * 100);
    }
}

static void show_times(struct show *s)
{
    const struct backup_show *of = s->of;
    char text[FMT_CAP], more[FMT_CAP], when[STAMP_CAP];

    nested(s, "Begin time", "%s", moment_text(s->b->begin_time, when));
    nested(s, "End time", "%s", moment_text(s->b->end_time, when));
    if (of->copy_time > 0) {
        fmt_duration((int64_t)(of->copy_time * (double)NS_PER_S), text);
        if (of->analysis_time >= 1) {
            fmt_duration((int64_t)(of->analysis_time * (double)NS_PER_S), more);
            nested(s, "Copy time", "%s + %s startup", text, more);
        } else {
            nested(s, "Copy time", "%s", text);
        }
    }
    if (of->throughput > 0) {
        fmt_size_real(of->throughput, text);
        if (of->workers > 1) {
            nested(s, "Estimated throughput", "%s/s (%" PRIu64 " jobs)", text, of->workers);
        } else {
            nested(s, "Estimated throughput", "%s/s", text);
        }
    }
}

static void show_base(struct show *s)
{
    const struct backup *b = s->b;
    char lsn[FMT_CAP];

    line(s, "  Base backup information:");
    if (b->mode) {
        nested(s, "Backup Method", "%s", b->mode);
    }
    if (b->encryption) {
        nested(s, "Encryption", "%s", b->encryption);
    }
    if (b->mode && strcmp(b->mode, "postgres") == 0) {
        nested(s, "Backup Type", "%s", backup_type_name(s->of->type));
    }
    show_sizes(s);
    nested(s, "Timeline", "%" PRIu32, b->timeline);
    nested(s, "Begin WAL", "%s", or_none(b->begin_wal));
    nested(s, "End WAL", "%s", or_none(b->end_wal));
    if (s->of->wal->num) {
        nested(s, "Number of WALs", "%" PRIu64, s->of->wal->num);
    }
    if (s->of->wal_ratio > 0) {
        nested(s, "WAL compression ratio", "%.2f%%", s->of->wal_ratio * 100);
    }
    show_times(s);
    nested(s, "Begin Offset", "%" PRIu32, b->begin_offset);
    nested(s, "End Offset", "%" PRIu32, b->end_offset);
    nested(s, "Begin LSN", "%s", fmt_lsn(b->begin_xlog, lsn));
    nested(s, "End LSN", "%s", fmt_lsn(b->end_xlog, lsn));
    line(s, "");
}

static void show_damage(struct show *s)
{
    const struct backup_show *of = s->of;
    char at[FMT_CAP];

    for (size_t i = 0; i < of->damages && i < DAMAGES; i++) {
        const struct damaged_wal *m = &of->damaged[i];

        nested(s, "Damaged WAL", "%s at %s%s", m->name, fmt_lsn(m->lsn, at),
               list_needs(s->b, m->name) ? ", needed by this backup" : "");
    }
    if (of->damages > DAMAGES) {
        nested(s, "Damaged WAL", "and %zu more", of->damages - DAMAGES);
    }
}

static void show_wal(struct show *s)
{
    const struct backup_show *of = s->of;
    char text[1024];
    struct sbuf b;

    line(s, "  WAL information:");
    nested(s, "Number of files", "%" PRIu64, of->wal->next_num);
    nested(s, "Disk usage", "%s", size_text(of->wal->next_size, text));
    if (of->wals_per_s > 0) {
        nested(s, "WAL rate", "%.2f/hour", of->wals_per_s * 3600);
    }
    if (of->next_ratio > 0) {
        nested(s, "Compression ratio", "%.2f%%", of->next_ratio * 100);
    }
    nested(s, "Last available", "%s", or_none(of->wal->last));
    if (of->timelines) {
        sbuf_init(&b, text, sizeof text);
        for (size_t i = 0; i < of->timelines; i++) {
            sbuf_fmt(&b, "%s%" PRIu32, i ? ", " : "", of->timeline[i]);
        }
        nested(s, "Reachable timelines", "%s", text);
    }
    show_damage(s);
    line(s, "");
}

static void show_catalogue(struct show *s, const struct show_chain *chain)
{
    const struct backup_show *of = s->of;

    line(s, "  Catalog information:");
    nested(s, "Retention Policy", "%s", of->retention ? of->retention : "not enforced");
    nested(s, "Previous Backup", "%s",
           of->previous ? of->previous->id : "- (this is the oldest base backup)");
    nested(s, "Next Backup", "%s",
           of->next ? of->next->id : "- (this is the latest base backup)");
    if (of->timelines) {
        line(s, "");
        line(s, "WARNING: WAL information is inaccurate due to multiple timelines interacting "
                "with this backup");
    }
    if (of->type == BACKUP_INCREMENTAL) {
        nested(s, "Root Backup", "%s", or_none(chain->root));
        nested(s, "Parent Backup", "%s", s->b->parent_backup_id);
        nested(s, "Backup chain size", "%zu", chain->size);
    }
    if (s->b->mode && strcmp(s->b->mode, "postgres") == 0 && s->b->children_backup_ids) {
        nested(s, "Children Backup(s)", "%s", s->b->children_backup_ids);
    }
}

void show_backup_lines(const struct backup_show *show, const struct show_chain *chain,
                       void (*put)(void *ctx, const char *line), void *ctx)
{
    struct show s = {show, show->backup, put, ctx};

    show_general(&s);
    if (!backup_copy_done(s.b)) {
        if (s.b->error) {
            general(&s, "Error", s.b->error);
        }
        return;
    }
    show_tablespaces(&s);
    show_base(&s);
    show_wal(&s);
    show_catalogue(&s, chain);
}

static void put_line(void *ctx, const char *text)
{
    struct session *s = ctx;

    console_say(&s->console, SAY_OUT, "%s", text);
}

/* Down to the backup that stands on no other; a circle in the files ends it too. */
static struct show_chain chain_of(const struct catalogue *c, const struct backup *b)
{
    struct show_chain chain = {b->id, 1};

    while (b->parent_backup_id && chain.size <= c->n) {
        b = catalogue_find(c, b->parent_backup_id);
        if (!b) {
            break;
        }
        chain.root = b->id;
        chain.size++;
    }
    return chain;
}

void run_show_backup(struct session *s, const struct server_cfg *srv)
{
    const struct backup *b;
    struct backup_list list;
    struct backup_show show;
    struct show_chain chain;
    struct repo repo;
    struct err err;

    if (!session_repo(s, srv, &repo)) {
        return;
    }
    if (!list_load(&repo, &s->arena, &list, &err) ||
        !list_retention(&repo, srv, &s->arena, &list, &err) ||
        !catalogue_resolve(&list.catalogue, srv->name, s->args.operand[1], &b, &err) ||
        !list_show(&repo, &s->arena, &list, b, &show, &err)) {
        session_fail(s, &err);
        return;
    }
    if (list.catalogue.unread) {
        session_fail(s, list.catalogue.why);
    }
    chain = chain_of(&list.catalogue, b);
    if (s->console.doc) {
        show_backup_doc(doc_object(s->console.doc, srv->name), &s->arena, &show, &chain);
        return;
    }
    show_backup_lines(&show, &chain, put_line, s);
}
