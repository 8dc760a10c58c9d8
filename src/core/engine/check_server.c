/* SPDX-License-Identifier: PostgreSQL */
#include "engine/check_in.h"
#include "repo/catalogue.h"

#include <string.h>

static bool is_on(const char *mode)
{
    return mode && (strcmp(mode, "on") == 0 || strcmp(mode, "always") == 0);
}

static void streaming(struct checking *c)
{
    const struct pg_target target = {.conninfo = server_cfg_streaming_conninfo(c->srv),
                                     .application_name = "barman_streaming",
                                     .mode = PG_REPLICATION};
    struct err why;
    struct pg *pg;

    if (!c->srv->streaming_conninfo && !c->srv->streaming_archiver) {
        return;
    }
    pg = target.conninfo ? pg_open(c->t, &target, &why) : NULL;
    c->has_ident = pg && pg_ident_read(pg, c->t, &c->ident, &why);
    check_add(c, "PostgreSQL streaming", c->has_ident, c->has_ident ? NULL : check_why(c, &why),
              CHECK_CRITICAL);
    pg_close(pg);
}

static void say_slot(struct checking *c, const struct pg_slot *slot)
{
    const char *hint = NULL;

    if (!c->srv->streaming_archiver) {
        if (slot->use != SLOT_MISSING) {
            check_add(c, "replication slot", true,
                      "WARNING: slot exists but is not required: streaming_archiver is off",
                      CHECK_CRITICAL);
        }
        return;
    }
    if (slot->use == SLOT_MISSING) {
        hint = arena_fmt(c->a,
                         "replication slot '%s' doesn't exist. Please execute "
                         "'barkeep receive-wal --create-slot %s'",
                         slot->name, c->srv->name);
    } else if (slot->invalidation[0]) {
        hint = arena_fmt(c->a, "slot '%s' is invalidated: %s", slot->name, slot->invalidation);
    } else if (slot->restart_lsn == 0) {
        hint =
            arena_fmt(c->a, "slot '%s' not initialised: is 'receive-wal' running?", slot->name);
    } else if (slot->use != SLOT_ACTIVE) {
        hint = arena_fmt(c->a, "slot '%s' not active: is 'receive-wal' running?", slot->name);
    }
    check_add(c, "replication slot", !hint, hint, CHECK_CRITICAL);
}

static void slot(struct checking *c, struct pg *pg)
{
    const struct pg_target target = {.conninfo = server_cfg_wal_conninfo(c->srv),
                                     .application_name = "barkeep"};
    struct pg *other = NULL;
    struct pg_slot slot;
    struct err why;

    if (!c->srv->slot_name) {
        return;
    }
    if (target.conninfo && strcmp(target.conninfo, c->srv->conninfo) != 0) {
        other = pg_open(c->t, &target, &why);
        if (!other) {
            check_add(c, "replication slot", false, check_why(c, &why), CHECK_CRITICAL);
            return;
        }
    }
    if (pg_slot_read(other ? other : pg, c->t, c->srv->slot_name, &slot, &why)) {
        say_slot(c, &slot);
    } else {
        check_add(c, "replication slot", false, check_why(c, &why), CHECK_CRITICAL);
    }
    pg_close(other);
}

void check_postgres(struct checking *c)
{
    const struct pg_target target = {.conninfo = c->srv->conninfo,
                                     .application_name = "barkeep"};
    struct err why;
    struct pg *pg;

    if (server_cfg_passive(c->srv)) {
        return;
    }
    if (!target.conninfo) {
        check_add(c, "PostgreSQL", false, "no conninfo is set", CHECK_CRITICAL);
        return;
    }
    pg = pg_open(c->t, &target, &why);
    c->has_facts = pg && pg_facts_read(pg, c->t, c->a, &c->facts, &why);
    check_add(c, "PostgreSQL", c->has_facts, c->has_facts ? NULL : check_why(c, &why),
              CHECK_CRITICAL);
    if (c->has_facts) {
        bool ok = c->facts.backup_rights;
        bool enough = c->facts.wal_level && strcmp(c->facts.wal_level, "minimal") != 0;
        check_add(c,
                  ok ? "superuser or standard user with backup privileges"
                     : "no access to backup functions",
                  ok, ok ? NULL : "privileges for PostgreSQL backup functions are required",
                  CHECK_CRITICAL);
        streaming(c);
        check_add(c, "wal_level", enough,
                  enough ? NULL : "please set it to a higher level than 'minimal'",
                  CHECK_CRITICAL);
        slot(c, pg);
    }
    pg_close(pg);
}

void check_identity(struct checking *c)
{
    struct identity kept, now = {0};
    struct err why;

    if (!identity_load(c->repo, &kept, &why)) {
        check_add(c, "systemid coherence", false, check_why(c, &why), CHECK_CRITICAL);
        return;
    }
    if (!kept.systemid[0] || (!c->has_ident && !(c->has_facts && c->facts.systemid))) {
        check_add(c, "systemid coherence", true,
                  c->has_ident || (c->has_facts && c->facts.systemid)
                      ? "no system Id stored on disk"
                      : "no system Id available",
                  CHECK_CRITICAL);
        return;
    }
    str_copy(now.systemid, sizeof now.systemid,
             c->has_ident ? c->ident.systemid : c->facts.systemid);
    str_copy(now.version, sizeof now.version, kept.version);
    if (c->has_ident && c->has_facts && c->facts.systemid &&
        strcmp(c->ident.systemid, c->facts.systemid) != 0) {
        check_add(
            c, "systemid coherence", false,
            arena_fmt(c->a,
                      "conninfo and streaming_conninfo lead to different clusters: %s and %s",
                      c->facts.systemid, c->ident.systemid),
            CHECK_CRITICAL);
        return;
    }
    if (identity_check(&kept, &now, &why)) {
        check_add(c, "systemid coherence", true, NULL, CHECK_CRITICAL);
    } else {
        check_add(c, "systemid coherence", false, check_why(c, &why), CHECK_CRITICAL);
    }
}

void check_archiver(struct checking *c)
{
    const struct pg_facts *f = &c->facts;
    bool on, command;

    if (!c->srv->archiver || !c->has_facts || !f->archive_mode) {
        return;
    }
    on = is_on(f->archive_mode);
    command = (f->archive_command && f->archive_command[0] &&
               strcmp(f->archive_command, "(disabled)") != 0) ||
              (f->archive_library && f->archive_library[0]);
    check_add(c, "archive_mode", on, on ? NULL : "please set it to 'on' or 'always'",
              CHECK_CRITICAL);
    check_add(c, "archive_command", command,
              command ? NULL : "please set it accordingly to documentation", CHECK_CRITICAL);
    if (f->archiver.known) {
        check_add(c, "continuous archiving", on && f->archiver.is_archiving, NULL,
                  CHECK_CRITICAL);
    }
}
