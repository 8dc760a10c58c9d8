/* SPDX-License-Identifier: PostgreSQL */
/* facts.h - what a server says about itself: version, position, settings, slot, statistics.
 *
 * pg_facts_read() asks everything `check`, `status` and `backup` need in one round trip on an
 * ordinary connection; what costs the server work (sizes) or belongs to one slot is asked
 * apart. pg_ident_read() asks a replication connection who it is.
 *
 * Unknown  A text the server did not tell (missing right, setting of a newer version) is NULL,
 *          a number 0 unless its line says otherwise. Texts live in the arena.
 * Units    bytes; seconds where the name says so.
 * Threads  As the connection.
 * Source   PostgreSQL 13-18: pg_settings, pg_stat_archiver, pg_replication_slots (wal_status
 *          and safe_wal_size since 13, conflicting 16, invalidation_reason 17),
 *          pg_stat_replication.
 */
#ifndef PG_FACTS_H
#define PG_FACTS_H

#include "pg/conn.h"

struct pg_facts {
    int version;              /* 150020 */
    const char *version_text; /* "15.20", without what a packager added */
    bool in_recovery;
    bool superuser;
    bool backup_rights;  /* may run pg_backup_start and friends, and read settings */
    bool monitor_rights; /* pg_monitor, or read_all_settings + read_all_stats, or superuser */

    /* Position: pg_current_wal_lsn(), or what was replayed in recovery. */
    pg_lsn lsn;
    pg_tli tli;
    char wal_name[32]; /* segment of the last byte before lsn, "" when not known */
    int64_t now_us;    /* the server's clock, since 1970 */
    int64_t start_us;  /* pg_postmaster_start_time() */

    const char *systemid; /* pg_control_system(), decimal */
    uint32_t wal_segment_size;

    const char *data_directory, *config_file, *hba_file, *ident_file;
    const char *const *included_file; /* absolute, without config_file; sorted */
    size_t included_files;

    const char *wal_level, *archive_mode, *archive_command, *archive_library;
    const char *data_checksums, *hot_standby, *wal_compression;
    const char *synchronous_standby_names, *summarize_wal; /* NULL before 17 */
    const char *primary_slot_name;
    uint64_t max_wal_senders, max_replication_slots;
    uint64_t archive_timeout_s, checkpoint_timeout_s, wal_sender_timeout_ms;
    int64_t wal_keep_bytes, max_slot_wal_keep_bytes; /* -1: no limit */

    struct {
        bool known;
        uint64_t archived_count, failed_count;
        const char *last_archived_wal, *last_failed_wal;
        int64_t last_archived_us, last_failed_us, stats_reset_us; /* 0: never */
        bool is_archiving; /* no failure, or archived again since the last one */
        double per_second; /* since stats_reset */
    } archiver;
};

MUST_CHECK bool pg_facts_read(struct pg *pg, const struct task *t, struct arena *a,
                              struct pg_facts *out, struct err *err);

/* Sum over all tablespaces; may take a while on a server with many files. */
MUST_CHECK bool pg_size_read(struct pg *pg, const struct task *t, uint64_t *bytes,
                             struct err *err);

/* User tablespaces (not pg_default, pg_global), by name. */
MUST_CHECK bool pg_tablespaces_read(struct pg *pg, const struct task *t, struct arena *a,
                                    const struct tablespace **out, size_t *n, struct err *err);

enum slot_use { SLOT_MISSING, SLOT_IDLE, SLOT_ACTIVE };

struct pg_slot {
    char name[64];
    enum slot_use use;
    bool physical;
    uint64_t active_pid;    /* 0: none */
    pg_lsn restart_lsn;     /* 0: it keeps nothing yet, or has lost it */
    char wal_status[16];    /* reserved extended unreserved lost, or "" */
    int64_t safe_wal_bytes; /* that can be written before it is lost; -1: no limit */
    char invalidation[32];  /* why it can not be used any more, or "" */
};

/* A slot that does not exist is SLOT_MISSING, not a failure. */
MUST_CHECK bool pg_slot_read(struct pg *pg, const struct task *t, const char *name,
                             struct pg_slot *out, struct err *err);

struct pg_sender { /* a line of pg_stat_replication */
    uint64_t pid;
    const char *application_name, *user, *client, *state, *sync_state, *slot;
    const char *host, *port;           /* client_hostname, client_port; NULL: a local socket */
    const char *started, *xmin;        /* backend_start as the server prints it; backend_xmin */
    pg_lsn sent, write, flush, replay; /* 0: not told */
    uint64_t sync_priority;
};

/* Those of physical slots or none, best sync_state first. */
MUST_CHECK bool pg_senders_read(struct pg *pg, const struct task *t, struct arena *a,
                                const struct pg_sender **out, size_t *n, struct err *err);

/* ---- on a replication connection ---------------------------------------------------- */

struct pg_ident {
    char systemid[24];
    pg_tli tli;
    pg_lsn flushed; /* IDENTIFY_SYSTEM's xlogpos */
};

MUST_CHECK bool pg_ident_read(struct pg *pg, const struct task *t, struct pg_ident *out,
                              struct err *err);
/* SHOW wal_segment_size, in bytes. */
MUST_CHECK bool pg_segment_size_read(struct pg *pg, const struct task *t, uint32_t *out,
                                     struct err *err);
/* SHOW name, on either kind of connection; text in the arena. */
MUST_CHECK const char *pg_show_setting(struct pg *pg, const struct task *t, struct arena *a,
                                       const char *name, struct err *err);

#endif
