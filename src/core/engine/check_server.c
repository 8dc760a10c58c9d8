/* SPDX-License-Identifier: PostgreSQL */
#include "engine/check_in.h"
#include "repo/catalogue.h"

#include <string.h>

#define WAL_HOST       " (WAL streaming)"
#define OLDEST_VERSION 130000 /* that backup takes */

static bool is_on(const char *mode)
{
    return mode && (strcmp(mode, "on") == 0 || strcmp(mode, "always") == 0);
}

/* ---- lines that the server and a separate WAL host share ----------------------------- */

static void streaming(struct checking *c, const char *label, const struct check_repl *repl)
{
    if (repl->asked != ASKED_NOT) {
        check_add(c, label, repl->asked == ASKED_OK, repl->why, CHECK_CRITICAL);
    }
}

static void wal_level(struct checking *c, const char *label, const struct pg_facts *f)
{
    bool ok = f->wal_level && strcmp(f->wal_level, "minimal") != 0;
    const char *hint = f->wal_level ? "please set it to a higher level than 'minimal'"
                                    : "the server does not tell it";

    check_add(c, label, ok, ok ? NULL : hint, CHECK_CRITICAL);
}

static const char *slot_hint(struct checking *c, const struct pg_slot *slot)
{
    if (slot->use == SLOT_MISSING) {
        return arena_fmt(c->a,
                         "replication slot '%s' doesn't exist. Please execute "
                         "'barkeep receive-wal --create-slot %s'",
                         slot->name, c->srv->name);
    }
    if (!slot->physical) {
        return arena_fmt(c->a, "slot '%s' is not a physical one", slot->name);
    }
    if (slot->invalidation[0]) {
        return arena_fmt(c->a, "slot '%s' is invalidated: %s", slot->name, slot->invalidation);
    }
    if (slot->restart_lsn == 0) {
        return arena_fmt(c->a, "slot '%s' not initialised: is 'receive-wal' running?",
                         slot->name);
    }
    if (slot->use != SLOT_ACTIVE) {
        return arena_fmt(c->a, "slot '%s' not active: is 'receive-wal' running?", slot->name);
    }
    return NULL;
}

static void slot(struct checking *c, const char *label)
{
    const char *hint = c->slot.why;

    if (c->slot.asked == ASKED_NOT) {
        return;
    }
    if (c->slot.asked == ASKED_FAILED) {
        check_add(c, label, false, hint, CHECK_CRITICAL);
        return;
    }
    if (!c->srv->streaming_archiver) {
        if (c->slot.slot.use != SLOT_MISSING && c->slot.slot.restart_lsn != 0) {
            check_add(c, label, true,
                      arena_fmt(c->a,
                                "WARNING: slot '%s' is %s but not required by the current "
                                "config",
                                c->srv->slot_name,
                                c->slot.slot.use == SLOT_ACTIVE ? "active" : "initialised"),
                      CHECK_CRITICAL);
        }
        return;
    }
    hint = slot_hint(c, &c->slot.slot);
    check_add(c, label, !hint, hint, CHECK_CRITICAL);
}

/* Decimal, NULL when neither connection told it. */
static const char *systemid_of(const struct check_sql *sql, const struct check_repl *repl)
{
    if (repl->asked == ASKED_OK) {
        return repl->ident.systemid;
    }
    return sql->asked == ASKED_OK ? sql->facts.systemid : NULL;
}

/* Do the two connections to one host lead to one cluster? As far as it is known. */
static bool one_cluster(const struct check_sql *sql, const struct check_repl *repl)
{
    return repl->asked != ASKED_OK || sql->asked != ASKED_OK || !sql->facts.systemid ||
           strcmp(sql->facts.systemid, repl->ident.systemid) == 0;
}

/* ---- a standby, and its primary ------------------------------------------------------ */

static void standby(struct checking *c)
{
    bool is_standby = c->server.facts.in_recovery, reached = c->primary.asked == ASKED_OK;
    bool ok = reached && !c->primary.facts.in_recovery;
    const char *here = systemid_of(&c->server, &c->streaming);
    const char *there = reached ? c->primary.facts.systemid : NULL;

    check_add(c, "PostgreSQL server is standby", is_standby,
              is_standby
                  ? NULL
                  : "conninfo should point to a standby server if primary_conninfo is set",
              CHECK_NOT_FOR_BACKUP);
    if (!is_standby) {
        return; /* primary_conninfo is ignored then */
    }
    check_add(c, "Primary server is not a standby", ok,
              ok        ? NULL
              : reached ? "primary_conninfo should point to a primary server, not a standby"
                        : c->primary.why,
              CHECK_CRITICAL);
    if (!here || !there) {
        check_add(c, "Primary and standby have same system ID", false,
                  reached ? "the servers do not tell it" : c->primary.why, CHECK_CRITICAL);
        return;
    }
    ok = strcmp(here, there) == 0;
    check_add(c, "Primary and standby have same system ID", ok,
              ok ? NULL
                 : "primary_conninfo and conninfo should point to primary and standby servers "
                   "which share the same system identifier",
              CHECK_CRITICAL);
}

/* ---- the host receive-wal streams from ----------------------------------------------- */

/* What a host's two connections say, against each other and against identity.json. */
static void systemid(struct checking *c, const char *label, const struct check_sql *sql,
                     const struct check_repl *repl)
{
    const char *id = systemid_of(sql, repl);
    struct identity kept, now = {0};
    struct err why;

    if (!one_cluster(sql, repl)) {
        check_add(c, label, false,
                  "is the streaming DSN targeting the same server of the PostgreSQL connection "
                  "string?",
                  CHECK_CRITICAL);
        return;
    }
    if (!identity_load(c->repo, &kept, &why)) {
        check_add(c, label, false, check_why(c, &why), CHECK_CRITICAL);
        return;
    }
    if (!kept.systemid[0] || !id) {
        check_add(c, label, true, id ? "no system Id stored on disk" : "no system Id available",
                  CHECK_CRITICAL);
        return;
    }
    str_copy(now.systemid, sizeof now.systemid, id);
    str_copy(now.version, sizeof now.version, kept.version);
    if (identity_check(&kept, &now, &why)) {
        check_add(c, label, true, NULL, CHECK_CRITICAL);
    } else {
        check_add(c, label, false,
                  arena_fmt(c->a,
                            "the system Id of the connected PostgreSQL server changed, stored "
                            "in \"%s/identity.json\"",
                            c->repo->backup_dir),
                  CHECK_CRITICAL);
    }
}

/* Before there is an identity.json the server itself tells which cluster its WAL host must be of. */
static void wal_systemid(struct checking *c)
{
    const char *label = "systemid coherence" WAL_HOST;
    const char *here = systemid_of(&c->server, &c->streaming);
    const char *there = systemid_of(&c->wal, &c->wal_streaming);

    if (here && there && one_cluster(&c->wal, &c->wal_streaming) && strcmp(here, there) != 0) {
        check_add(
            c, label, false,
            arena_fmt(c->a, "the server is of cluster %s, its WAL host of %s", here, there),
            CHECK_CRITICAL);
        return;
    }
    systemid(c, label, &c->wal, &c->wal_streaming);
}

static void wal_host(struct checking *c)
{
    bool reached = c->wal.asked == ASKED_OK;
    bool ok = reached && c->wal.facts.monitor_rights;

    check_add(
        c, ok ? "has monitoring privileges" WAL_HOST : "no access to monitoring functions", ok,
        ok ? NULL
        : reached
            ? "privileges for PostgreSQL monitoring functions are required (see documentation)"
            : c->wal.why,
        CHECK_CRITICAL);
    streaming(c, "PostgreSQL streaming" WAL_HOST, &c->wal_streaming);
    if (reached) {
        wal_level(c, "wal_level" WAL_HOST, &c->wal.facts);
    }
    wal_systemid(c);
    slot(c, "replication slot" WAL_HOST);
}

/* Does it answer? If so, what it allows. */
static bool postgres(struct checking *c)
{
    bool ok = c->server.asked == ASKED_OK;

    if (ok && c->server.facts.version < OLDEST_VERSION) {
        ok = false;
        c->server.why = arena_fmt(c->a, "unsupported version: PostgreSQL server %s is too old",
                                  c->server.facts.version_text);
    }
    check_add(c, "PostgreSQL", ok, c->srv->conninfo ? c->server.why : "no conninfo is set",
              CHECK_CRITICAL);
    if (!ok) {
        return false;
    }
    ok = c->server.facts.backup_rights;
    check_add(
        c,
        ok ? "superuser or standard user with backup privileges"
           : "no access to backup functions",
        ok,
        ok ? NULL
           : "privileges for PostgreSQL backup functions are required (see documentation)",
        CHECK_CRITICAL);
    streaming(c, "PostgreSQL streaming", &c->streaming);
    wal_level(c, "wal_level", &c->server.facts);
    if (c->srv->primary_conninfo) {
        standby(c);
    }
    return true;
}

/* ---- public -------------------------------------------------------------------------- */

void check_postgres(struct checking *c)
{
    bool answers;

    if (server_cfg_passive(c->srv)) {
        return;
    }
    answers = postgres(c);
    if (c->wal_apart) {
        wal_host(c);
    } else if (answers) {
        slot(c, "replication slot");
    }
}

void check_identity(struct checking *c)
{
    systemid(c, "systemid coherence", &c->server, &c->streaming);
}

void check_archiver(struct checking *c)
{
    const struct pg_facts *f = &c->server.facts;
    bool on, command;

    if (!c->srv->archiver || c->server.asked != ASKED_OK || !f->archive_mode) {
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
    if (command && f->archiver.known) {
        check_add(c, "continuous archiving", on && f->archiver.is_archiving, NULL,
                  CHECK_CRITICAL);
    }
}
