/* SPDX-License-Identifier: PostgreSQL */
/* show-backup as a document; keys and values are Barman's. */
#include "backup_doc.h"
#include "list_text.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "repo/backup_info.h"
#include "repo/pylit.h"

#include <inttypes.h>
#include <string.h>

/* The blanks are in Barman's text too. */
#define INACCURATE                                                                             \
    "WAL information is inaccurate                     due to multiple timelines "             \
    "interacting with                     this backup"

static void put_seconds(struct doc *in, const char *key, double seconds)
{
    char text[FMT_CAP], name[64];

    doc_text(in, key, fmt_duration((int64_t)(seconds * (double)NS_PER_S), text));
    str_fmt(name, sizeof name, "%s_seconds", key);
    doc_real(in, name, seconds);
}

static void put_moment(struct doc *in, const char *key, struct moment m)
{
    char text[STAMP_CAP], name[64];

    doc_text(in, key, m.known ? stamp_iso((struct stamp){m.us, m.offset_s}, text) : NULL);
    str_fmt(name, sizeof name, "%s_timestamp", key);
    doc_moment(in, name, m);
}

static void show_general(struct doc *out, const struct backup *b)
{
    struct doc *in = doc_object(out, "server_information");

    doc_text(out, "backup_id", b->id);
    doc_text(out, "status", backup_status_name(b->status));
    if (b->backup_name) {
        doc_text(out, "backup_name", b->backup_name);
    }
    if (b->systemid) {
        doc_text(out, "system_id", b->systemid);
    }
    doc_text(in, "data_checksums", b->data_checksums);
    doc_text(in, "summarize_wal", b->summarize_wal);
}

static void show_cluster(struct doc *out, const struct backup *b)
{
    struct doc *list = doc_array(out, "tablespaces");

    doc_text(out, "backup_type", backup_type_name(backup_type_of(b)));
    if (b->cluster_size) {
        doc_size(out, "cluster_size", (int64_t)b->cluster_size);
    }
    doc_int(out, "postgresql_version", b->version);
    doc_text(out, "pgdata_directory", b->pgdata);
    for (size_t i = 0; i < b->tablespaces; i++) {
        struct doc *row = doc_add_object(list);

        doc_text(row, "name", b->tablespace[i].name);
        doc_text(row, "location", b->tablespace[i].location);
        doc_int(row, "oid", b->tablespace[i].oid);
    }
}

static void show_copy(struct doc *in, const struct backup_show *of)
{
    char text[FMT_CAP];

    if (of->type == BACKUP_RSYNC || of->type == BACKUP_INCREMENTAL) {
        doc_text(in, "resources_saved", fmt_size_real(of->saved_bytes, text));
        doc_int(in, "resources_saved_bytes", (int64_t)of->saved_bytes);
        doc_fmt(in, "resources_saved_percentage", "%.2f%%", of->saved_ratio * 100);
    }
    if (of->wal_ratio > 0) {
        doc_fmt(in, "wal_compression_ratio", "%.2f%%", of->wal_ratio * 100);
    }
    if (of->copy_time <= 0) {
        return;
    }
    put_seconds(in, "copy_time", of->copy_time);
    if (of->analysis_time >= 1) {
        put_seconds(in, "analysis_time", of->analysis_time);
    }
    doc_fmt(in, "throughput", "%s/s", fmt_size_real(of->throughput, text));
    doc_int(in, "throughput_bytes", (int64_t)of->throughput);
    doc_int(in, "number_of_workers", of->workers ? (int64_t)of->workers : 1);
}

static void show_base(struct doc *out, const struct backup_show *of)
{
    struct doc *in = doc_object(out, "base_backup_information");
    const struct backup *b = of->backup;
    char lsn[FMT_CAP];

    doc_text(in, "backup_method", b->mode);
    doc_text(in, "encryption", b->encryption);
    doc_text(in, "compression", b->compression);
    doc_size(in, "backup_size",
             (int64_t)(b->deduplicated_size ? b->deduplicated_size : b->size));
    doc_size(in, "backup_size_with_wals", (int64_t)of->size_with_wals);
    doc_size(in, "wal_size", (int64_t)of->wal->size);
    doc_int(in, "timeline", b->timeline);
    doc_text(in, "begin_wal", b->begin_wal);
    doc_text(in, "end_wal", b->end_wal);
    doc_int(in, "wal_num", (int64_t)of->wal->num);
    put_moment(in, "begin_time", b->begin_time);
    put_moment(in, "end_time", b->end_time);
    doc_int(in, "begin_offset", b->begin_offset);
    doc_int(in, "end_offset", b->end_offset);
    doc_text(in, "begin_lsn", fmt_lsn(b->begin_xlog, lsn));
    doc_text(in, "end_lsn", fmt_lsn(b->end_xlog, lsn));
    show_copy(in, of);
}

/* Ours; not there where nothing is damaged. */
static void show_damage(struct doc *in, const struct backup_show *of)
{
    struct doc *list = of->damages ? doc_array(in, "damaged_wals") : NULL;
    char at[FMT_CAP];

    for (size_t i = 0; i < of->damages; i++) {
        const struct damaged_wal *m = &of->damaged[i];
        struct doc *row = doc_add_object(list);

        doc_text(row, "name", m->name);
        doc_text(row, "lsn", fmt_lsn(m->lsn, at));
        doc_text(row, "why", m->why);
        doc_bool(row, "needed", list_needs(of->backup, m->name));
    }
}

static void show_wal(struct doc *out, const struct backup_show *of)
{
    struct doc *in = doc_object(out, "wal_information"), *list = doc_array(in, "timelines");
    char text[16];

    doc_int(in, "no_of_files", (int64_t)of->wal->next_num);
    doc_size(in, "disk_usage", (int64_t)of->wal->next_size);
    doc_text(in, "last_available", of->wal->last[0] ? of->wal->last : NULL);
    doc_int(in, "wal_rate", 0);
    doc_int(in, "wal_rate_per_second", 0);
    doc_int(in, "compression_ratio", 0);
    if (of->wals_per_s > 0) {
        doc_fmt(in, "wal_rate", "%.2f/hour", of->wals_per_s * 3600);
        doc_real(in, "wal_rate_per_second", of->wals_per_s);
    }
    if (of->next_ratio > 0) {
        doc_fmt(in, "compression_ratio", "%.2f%%", of->next_ratio * 100);
    }
    if (of->timelines) {
        doc_text(in, "_WARNING", INACCURATE);
    }
    for (size_t i = 0; i < of->timelines; i++) {
        str_fmt(text, sizeof text, "%" PRIu32, of->timeline[i]);
        doc_add_text(list, text);
    }
    show_damage(in, of);
}

static void show_children(struct doc *in, const struct backup *b)
{
    struct str rest = str_of(b->children_backup_ids), id;
    struct doc *list;
    char text[64];

    if (!b->children_backup_ids) {
        doc_null(in, "children_backup_ids");
        return;
    }
    list = doc_array(in, "children_backup_ids");
    while (str_split(&rest, ',', &id)) {
        str_fmt(text, sizeof text, "%.*s", (int)id.n, id.p);
        doc_add_text(list, text);
    }
}

static void show_catalogue(struct doc *out, const struct backup_show *of,
                           const struct show_chain *chain)
{
    struct doc *in = doc_object(out, "catalog_information");
    const struct backup *b = of->backup;

    doc_text(in, "retention_policy", of->retention ? of->retention : "not enforced");
    doc_text(in, "previous_backup",
             of->previous ? of->previous->id : "- (this is the oldest base backup)");
    doc_text(in, "next_backup", of->next ? of->next->id : "- (this is the latest base backup)");
    if (of->type == BACKUP_INCREMENTAL) {
        doc_text(in, "root_backup_id", chain->root);
        doc_text(in, "parent_backup_id", b->parent_backup_id);
        doc_int(in, "chain_size", (int64_t)chain->size);
    }
    if (b->mode && strcmp(b->mode, "postgres") == 0) {
        show_children(in, b);
    }
}

void show_backup_doc(struct doc *out, struct arena *a, const struct backup_show *show,
                     const struct show_chain *chain)
{
    const struct backup *b = show->backup;

    show_general(out, b);
    if (!backup_copy_done(b)) {
        if (b->error) {
            doc_text(out, "error", b->error);
        }
        return;
    }
    show_cluster(out, b);
    show_base(out, show);
    show_wal(out, show);
    show_catalogue(out, show, chain);
    if (b->snapshots_info && !pylit_doc(a, str_of(b->snapshots_info), out, "snapshots_info")) {
        doc_text(out, "snapshots_info", b->snapshots_info);
    }
}
