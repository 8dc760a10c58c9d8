/* SPDX-License-Identifier: PostgreSQL */
#include "backup_doc.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "repo/backup_info.h"
#include "repo/pylit.h"

#include <inttypes.h>
#include <string.h>

#define LABEL_MAX ((size_t)64 * 1024)

const char *doc_iso(struct moment m, char out[DOC_ISO_CAP])
{
    char *blank;

    stamp_iso((struct stamp){m.us, m.offset_s}, out);
    blank = strchr(out, ' ');
    if (blank) {
        *blank = 'T';
    }
    return out;
}

void doc_size(struct doc *in, const char *key, int64_t bytes)
{
    char text[FMT_CAP], name[64];

    doc_text(in, key, fmt_size(bytes, text));
    str_fmt(name, sizeof name, "%s_bytes", key);
    doc_int(in, name, bytes);
}

void doc_moment(struct doc *in, const char *key, struct moment m)
{
    if (m.known) {
        doc_fmt(in, key, "%" PRId64, m.us / US_PER_S);
    } else {
        doc_null(in, key);
    }
}

static void put_time(struct doc *out, const char *key, struct moment m, enum backup_dates dates)
{
    char text[STAMP_CAP], iso[DOC_ISO_CAP], name[32];

    if (!m.known) {
        doc_null(out, key);
    } else if (dates == DATES_ISO) {
        struct stamp local = stamp_local(m.us);

        m.offset_s = local.offset_s;
        doc_text(out, key, doc_iso(m, iso));
    } else {
        doc_text(out, key, stamp_ctime((struct stamp){m.us, m.offset_s}, text));
        str_fmt(name, sizeof name, "%s_iso", key);
        doc_text(out, name, doc_iso(m, iso));
    }
}

/* A number that backup.info has None for when it is 0. */
static void put_number(struct doc *out, const char *key, uint64_t n)
{
    if (n) {
        doc_int(out, key, (int64_t)n);
    } else {
        doc_null(out, key);
    }
}

static void put_literal(struct doc *out, struct arena *a, const char *key, const char *literal)
{
    if (!literal) {
        doc_null(out, key);
    } else if (!pylit_doc(a, str_of(literal), out, key)) {
        doc_text(out, key, literal);
    }
}

static void put_texts(struct doc *out, const struct backup *b)
{
    const struct {
        const char *key, *text;
    } rows[] = {
        {"backup_id", b->id},
        {"begin_wal", b->begin_wal},
        {"children_backup_ids", b->children_backup_ids},
        {"compression", b->compression},
        {"config_file", b->config_file},
        {"data_checksums", b->data_checksums},
        {"encryption", b->encryption},
        {"end_wal", b->end_wal},
        {"error", b->error},
        {"hba_file", b->hba_file},
        {"ident_file", b->ident_file},
        {"mode", b->mode},
        {"parent_backup_id", b->parent_backup_id},
        {"pgdata", b->pgdata},
        {"server_name", b->server_name},
        {"status", backup_status_name(b->status)},
        {"summarize_wal", b->summarize_wal},
        {"systemid", b->systemid},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        doc_text(out, rows[i].key, rows[i].text);
    }
    if (b->backup_name) {
        doc_text(out, "backup_name", b->backup_name);
    }
}

static void put_place(struct doc *out, const char *xlog, pg_lsn lsn, const char *offset,
                      uint32_t at, const char *wal)
{
    char text[FMT_CAP];

    doc_text(out, xlog, lsn ? fmt_lsn(lsn, text) : NULL);
    if (wal) {
        doc_int(out, offset, at);
    } else {
        doc_null(out, offset);
    }
}

static void put_numbers(struct doc *out, const struct backup *b)
{
    put_number(out, "cluster_size", b->cluster_size);
    put_number(out, "deduplicated_size", b->deduplicated_size);
    put_number(out, "size", b->size);
    put_number(out, "timeline", b->timeline);
    put_number(out, "version", b->version > 0 ? (uint64_t)b->version : 0);
    if (b->status == BACKUP_EMPTY && !b->version) { /* the server was not asked yet */
        doc_null(out, "xlog_segment_size");
    } else {
        doc_int(out, "xlog_segment_size",
                b->xlog_segment_size ? b->xlog_segment_size : 16777216);
    }
    put_place(out, "begin_xlog", b->begin_xlog, "begin_offset", b->begin_offset, b->begin_wal);
    put_place(out, "end_xlog", b->end_xlog, "end_offset", b->end_offset, b->end_wal);
}

static void put_label(struct doc *out, struct arena *a, const char *label)
{
    size_t cap = label ? 4 * strlen(label) + 3 : 0;
    char *text = label && cap < LABEL_MAX ? arena_alloc(a, cap) : NULL;
    struct sbuf b;

    if (text) {
        sbuf_init(&b, text, cap);
        pylit_put_text(&b, label);
    }
    doc_text(out, "backup_label", text ? text : label);
}

static void put_tablespaces(struct doc *out, const struct backup *b)
{
    struct doc *list;

    if (!b->tablespaces) {
        doc_null(out, "tablespaces");
        return;
    }
    list = doc_array(out, "tablespaces");
    for (size_t i = 0; i < b->tablespaces; i++) {
        struct doc *row = doc_add_array(list);

        doc_add_text(row, b->tablespace[i].name);
        doc_add_int(row, b->tablespace[i].oid);
        doc_add_text(row, b->tablespace[i].location);
    }
}

void backup_doc(struct doc *out, struct arena *a, const struct backup *b,
                enum backup_dates dates)
{
    put_texts(out, b);
    put_numbers(out, b);
    put_time(out, "begin_time", b->begin_time, dates);
    put_time(out, "end_time", b->end_time, dates);
    put_label(out, a, b->backup_label);
    put_tablespaces(out, b);
    put_literal(out, a, "included_files", b->included_files);
    if (b->copy_stats || b->total_time <= 0) {
        put_literal(out, a, "copy_stats", b->copy_stats);
    } else {
        struct doc *stats = doc_object(out, "copy_stats");

        doc_real(stats, "copy_time", b->copy_time);
        doc_real(stats, "total_time", b->total_time);
    }
    if (b->snapshots_info) {
        put_literal(out, a, "snapshots_info", b->snapshots_info);
    }
}
