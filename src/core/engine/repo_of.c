/* SPDX-License-Identifier: PostgreSQL */
#include "repo_of.h"

#include "engine/backup_form.h"
#include "wal/page.h"

#include <string.h>

/* Filters and gpg, of what the configuration says. */
static bool tools_of(struct arena *a, const struct server_cfg *srv, struct repo *out,
                     struct err *err)
{
    struct codec_custom *custom = ARENA_NEW(a, struct codec_custom);
    struct gpg *gpg = ARENA_NEW(a, struct gpg);

    if (!custom || !gpg) {
        return arena_err(a, err);
    }
    *custom = (struct codec_custom){
        .pack = srv->custom_compression_filter,
        .unpack = srv->custom_decompression_filter,
        .path = srv->path_prefix,
    };
    if (srv->custom_compression_magic &&
        !codec_magic_of(srv->custom_compression_magic, custom)) {
        custom->magic_len = 0; /* archive-wal refuses to pack then */
    }
    *gpg = backup_form_gpg(srv, -1);
    out->custom = custom;
    out->gpg = gpg;
    return true;
}

bool repo_of(struct arena *a, const struct server_cfg *srv, const char *home,
             const char *lock_dir, struct repo *out, struct err *err)
{
    *out = (struct repo){
        .server = srv->name,
        .home = home,
        .lock_dir = lock_dir ? lock_dir : home,
        .backup_dir = srv->backup_directory,
        .base_dir = srv->basebackups_directory,
        .wals_dir = srv->wals_directory,
        .xlogdb_dir = srv->xlogdb_directory,
        .incoming_dir = srv->incoming_wals_directory,
        .streaming_dir = srv->streaming_wals_directory,
        .errors_dir = srv->errors_directory,
        .meta_dir = arena_fmt(a, "%s/meta", srv->backup_directory),
        .own_dir = arena_fmt(a, "%s/.barkeep", srv->backup_directory),
    };
    if (!out->meta_dir || !out->own_dir) {
        return arena_err(a, err);
    }
    out->layout = !srv->catalogue_layout                         ? repo_find_layout(out)
                  : strcmp(srv->catalogue_layout, "legacy") == 0 ? LAYOUT_LEGACY
                                                                 : LAYOUT_CURRENT;
    return tools_of(a, srv, out, err);
}

/* The newest backup that says so: a cluster keeps its segment size for life, but one directory
 * may have seen a pg_upgrade. */
static void from_backups(const struct catalogue *c, const struct identity *id,
                         struct wal_rules *out)
{
    for (size_t i = c->n; i-- > 0 && out->seg_size == 0;) {
        const struct backup *b = &c->backup[i];
        bool same = !b->systemid || !id->systemid[0] || strcmp(b->systemid, id->systemid) == 0;

        if (same && backup_copy_done(b)) {
            out->seg_size = b->xlog_segment_size;
        }
    }
}

bool wal_rules_of(const struct repo *r, struct wal_rules *out, struct err *err)
{
    struct wal_rules rules = {0};
    struct catalogue c;
    struct identity id;
    uint64_t major;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = identity_load(r, &id, err) && catalogue_look(r, &a, &c, err);
    if (ok) {
        struct str version = str_of(id.version);

        if (!str_u64(str_of(id.systemid), UINT64_MAX, &rules.systemid)) {
            rules.systemid = 0;
        }
        /* A server of a version that is not known here is not held to one. */
        if (str_take_u64(&version, 1000, &major) && wal_magic_of_major((int)major)) {
            rules.major = (unsigned)major;
        }
        from_backups(&c, &id, &rules);
        *out = rules;
    }
    arena_release(&a);
    return ok;
}

void say_unread(const struct task *t, const struct catalogue *c)
{
    char text[1600];

    if (c->unread) {
        task_say(t, SAY_WARN, "%zu backup%s left out: %s", c->unread,
                 c->unread == 1 ? " is" : "s are", err_text(c->why, text, sizeof text));
    }
}
