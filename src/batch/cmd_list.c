/* SPDX-License-Identifier: PostgreSQL */
/* list-servers, list-backups: Barman's lines. */
#include "list_text.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "repo/backup_info.h"

#include <string.h>

void list_server_text(const struct server_cfg *srv, char *out, size_t cap)
{
    struct sbuf b;
    const char *suffix = "";

    if (!srv->active) {
        suffix = " (inactive)";
    } else if (srv->disabled) {
        suffix = " (WARNING: disabled)";
    }
    sbuf_init(&b, out, cap);
    sbuf_add(&b, srv->name);
    if ((srv->description && *srv->description) || *suffix || server_cfg_passive(srv)) {
        sbuf_fmt(&b, " - %s%s%s", srv->description ? srv->description : "", suffix,
                 server_cfg_passive(srv) ? " (Passive)" : "");
    }
}

void list_backup_text(const char *server, const struct backup *b, const struct backup_wal *wal,
                      char *out, size_t cap)
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
}

void run_list_servers(struct session *s, const struct server_cfg *srv)
{
    (void)srv;
    for (size_t i = 0; i < s->cfg->servers; i++) {
        char line[2048];

        if (arg_given(&s->args, "minimal")) {
            console_say(&s->console, SAY_OUT, "%s", s->cfg->server[i].name);
            continue;
        }
        list_server_text(&s->cfg->server[i], line, sizeof line);
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
    if (!list_load(&repo, &s->arena, &list, &err)) {
        session_fail(s, &err);
        return;
    }
    for (size_t i = list.catalogue.n; i-- > 0;) {
        const struct backup *b = &list.catalogue.backup[i];
        char line[2048];

        if (arg_given(&s->args, "minimal")) {
            console_say(&s->console, SAY_OUT, "%s", b->id);
            continue;
        }
        list_backup_text(srv->name, b, &list.wal[i], line, sizeof line);
        console_say(&s->console, SAY_OUT, "%s", line);
    }
    if (list.catalogue.unread) {
        session_fail(s, list.catalogue.why);
    }
    arena_reset(&s->arena, mark);
}
