/* SPDX-License-Identifier: PostgreSQL */
/* list-servers, list-backups: Barman's lines and documents. */
#include "backup_doc.h"
#include "list_text.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "repo/backup_info.h"

#include <string.h>

static const char *server_suffix(const struct server_cfg *srv)
{
    if (!srv->active) {
        return server_cfg_passive(srv) ? " (inactive) (Passive)" : " (inactive)";
    }
    if (srv->disabled) {
        return server_cfg_passive(srv) ? " (WARNING: disabled) (Passive)"
                                       : " (WARNING: disabled)";
    }
    return server_cfg_passive(srv) ? " (Passive)" : "";
}

void list_server_description(const struct server_cfg *srv, char *out, size_t cap)
{
    str_fmt(out, cap, "%s%s", srv->description ? srv->description : "", server_suffix(srv));
}

void list_server_text(const struct server_cfg *srv, char *out, size_t cap)
{
    bool described = (srv->description && *srv->description) || *server_suffix(srv);

    str_fmt(out, cap, "%s%s%s%s", srv->name, described ? " - " : "",
            described && srv->description ? srv->description : "", server_suffix(srv));
}

void list_backup_text(const char *server, const struct backup *b, const struct backup_wal *wal,
                      const char *retention, char *out, size_t cap)
{
    static const char letters[] = {[BACKUP_FULL] = 'F',
                                   [BACKUP_INCREMENTAL] = 'I',
                                   [BACKUP_RSYNC] = 'R',
                                   [BACKUP_SNAPSHOT] = 'S'};
    char when[STAMP_CAP], size[FMT_CAP], later[FMT_CAP];
    struct stamp end = {b->end_time.us, b->end_time.offset_s};
    struct sbuf s;

    sbuf_init(&s, out, cap);
    sbuf_fmt(&s, "%s %s", server, b->id);
    if (b->backup_name) {
        sbuf_fmt(&s, " '%s'", b->backup_name);
    }
    sbuf_fmt(&s, " - %c - ", letters[backup_type_of(b)]);
    if (!backup_copy_done(b)) {
        sbuf_add(&s, backup_status_name(b->status));
        return;
    }
    sbuf_fmt(&s, "%s - Size: %s - WAL Size: %s",
             b->end_time.known ? stamp_ctime(end, when) : "None",
             fmt_size((int64_t)(b->size + wal->size), size),
             fmt_size((int64_t)wal->next_size, later));
    if (b->status == BACKUP_WAITING_FOR_WALS) {
        sbuf_fmt(&s, " - %s", backup_status_name(b->status));
    }
    if (retention && strcmp(retention, "VALID") != 0 && strcmp(retention, "-") != 0) {
        sbuf_fmt(&s, " - %s", retention);
    }
}

void list_backup_doc(struct doc *row, const struct backup *b, const struct backup_wal *wal,
                     const char *retention)
{
    char when[STAMP_CAP];
    struct stamp end = {b->end_time.us, b->end_time.offset_s};

    doc_text(row, "backup_id", b->id);
    if (b->backup_name) {
        doc_text(row, "backup_name", b->backup_name);
    }
    doc_text(row, "backup_type", backup_type_name(backup_type_of(b)));
    doc_text(row, "status", backup_status_name(b->status));
    if (!backup_copy_done(b)) {
        return;
    }
    doc_text(row, "end_time", b->end_time.known ? stamp_ctime(end, when) : NULL);
    doc_moment(row, "end_time_timestamp", b->end_time);
    doc_size(row, "size", (int64_t)(b->size + wal->size));
    doc_size(row, "wal_size", (int64_t)wal->next_size);
    /* Barman does not tell a valid one from one without a policy here. */
    doc_text(row, "retention_status",
             retention && strcmp(retention, "VALID") != 0 ? retention : "-");
}

void run_list_servers(struct session *s, const struct server_cfg *srv)
{
    (void)srv;
    for (size_t i = 0; i < s->cfg->servers; i++) {
        const struct server_cfg *of = &s->cfg->server[i];
        char line[2048];

        if (s->console.doc) {
            list_server_description(of, line, sizeof line);
            doc_text(doc_object(s->console.doc, of->name), "description", line);
        } else if (arg_given(&s->args, "minimal")) {
            console_say(&s->console, SAY_OUT, "%s", of->name);
        } else {
            list_server_text(of, line, sizeof line);
            console_say(&s->console, SAY_OUT, "%s", line);
        }
    }
}

static void put_backup(struct session *s, const struct server_cfg *srv,
                       const struct backup_list *of, size_t i)
{
    const struct backup *b = &of->catalogue.backup[i];
    const char *retention = list_verdict(of, b);
    struct doc *list = s->console.doc ? doc_array(s->console.doc, srv->name) : NULL;
    bool minimal = arg_given(&s->args, "minimal");
    char line[2048];

    if (list && minimal) {
        doc_add_text(list, b->id);
    } else if (list) {
        list_backup_doc(doc_add_object(list), b, &of->wal[i], retention);
    } else if (minimal) {
        console_say(&s->console, SAY_OUT, "%s", b->id);
    } else {
        list_backup_text(srv->name, b, &of->wal[i], retention, line, sizeof line);
        console_say(&s->console, SAY_OUT, "%s", line);
    }
}

void run_list_backups(struct session *s, const struct server_cfg *srv)
{
    struct arena_mark mark = arena_mark(&s->arena);
    struct backup_list list;
    struct repo repo;
    struct err err;

    if (!session_repo(s, srv, &repo)) {
        return;
    }
    if (!list_load(&repo, &s->arena, &list, &err) ||
        !list_retention(&repo, srv, &s->arena, &list, &err)) {
        session_fail(s, &err);
        return;
    }
    if (s->console.doc) {
        doc_array(s->console.doc, srv->name);
    }
    for (size_t i = list.catalogue.n; i-- > 0;) {
        put_backup(s, srv, &list, i);
    }
    if (list.catalogue.unread) {
        session_fail(s, list.catalogue.why);
    }
    arena_reset(&s->arena, mark);
}
