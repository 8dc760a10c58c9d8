/* SPDX-License-Identifier: PostgreSQL */
/* copy_in.h - the parts of a started copy; only for engine/copy*.c and their tests.
 *
 *     copy_conf.c   pure: what the server is told, and what restore had told it
 *     copy_log.c    pure: what its log and its postmaster.pid say
 *     copy_home.c   the directory, the facts, who runs there
 *     copy_ask.c    a connection to it and its state
 *
 * Ownership  Everything lives in the arena.
 */
#ifndef ENGINE_COPY_IN_H
#define ENGINE_COPY_IN_H

#include "base/file.h"
#include "engine/copy.h"
#include "pg/conn.h"
#include "wal/control.h"

#include <sys/types.h>

#define COPY_DIR        ".barkeep-copy"
#define COPY_SPACES_MAX 1024
#define COPY_USERS_MAX  4
#define COPY_LOG_TAIL   ((size_t)256 * 1024)

/* ---- what the server is told -------------------------------------------------------------- */

struct copy_setting {
    const char *name, *value;
};
struct copy_settings {
    const struct copy_setting *item;
    size_t n;
};

struct copy_conf {
    int major;
    const char *server;     /* name, for cluster_name */
    const char *dest, *dir; /* the data directory and COPY_DIR in it */
    const char *socket_dir;
    unsigned port; /* of the socket's name, and of TCP when is_tcp */
    bool is_tcp;
    struct wal_settings need; /* by pg_control */
    bool commit_timestamps;
    uint32_t seg_size;
    const char *end_command;       /* recovery_end_command; "" none */
    struct copy_settings recovery; /* of restore, where no file we keep has them */
};

/* All settings in force, in the order of the command line; n == 0: out of memory. */
struct copy_settings copy_conf_settings(struct arena *a, const struct copy_conf *c);
/* The same as a configuration file; NULL: a value cannot be written. */
const char *copy_conf_text(struct arena *a, const struct copy_conf *c);
const char *copy_hba_text(bool is_tcp);
/* argv of the server, ending in NULL; NULL: out of memory. */
const char *const *copy_argv(struct arena *a, const char *program, const struct copy_conf *c);

/* The value a configuration file gives a setting: the last one, its quotes taken off; NULL:
 * none. What it includes is not looked at. */
const char *copy_conf_value(struct arena *a, struct str text, const char *key);

/* A file below dir, "" when there is none. */
MUST_CHECK bool copy_read_small(struct arena *a, const char *dir, const char *rel,
                                struct str *out, struct err *err);

/* What restore noted in .barman-recover.info. Unknown: NULL, 0. */
struct copy_notes {
    const char *backup_id;
    int64_t until_us;    /* the last commit that is replayed */
    const char *conf;    /* file of the recovery settings, relative to PGDATA */
    const char *wal_dir; /* where WAL waits */
};
void copy_notes_parse(struct arena *a, struct str info, struct copy_notes *out);

/* ---- what it says ------------------------------------------------------------------------- */

struct copy_log {
    const char *stage; /* "starting", "consistent at 0/3000100" */
    const char *fatal; /* last FATAL or PANIC of the server itself, with its DETAIL; NULL */
    const char *hint;  /* its HINT; NULL */
    const char *wrong; /* what is wrong with a configuration file; NULL */
    const char *last;  /* last line that says something; NULL */
    bool is_conf;      /* it gave up for what is wrong */
    bool is_short;     /* stopped replaying: a setting is lower than on the original */
    bool shut_at_target;
};
void copy_log_parse(struct arena *a, struct str text, struct copy_log *out);
/* What usually helps; "" when nothing does. */
const char *copy_log_hint(const struct copy_log *log);
/* ERR_IO with what it said last, and what helps. Always false. */
struct copy_home;
bool copy_gave_up(const struct copy_home *home, const struct copy_log *log, struct err *err);

struct copy_pid_file {
    int64_t pid;
    struct str directory; /* into the text */
    unsigned port;
    bool is_ready; /* accepts connections */
};
bool copy_pid_file_parse(struct str text, struct copy_pid_file *out);

/* ---- the directory ------------------------------------------------------------------------ */

struct copy_space {
    uint32_t oid;
    const char *path; /* where the link pointed when the copy was first started */
};

struct copy_facts {
    const char *server, *backup; /* backup "" when not known */
    uint64_t sysid;
    int major;
    const char *socket_dir;
    unsigned port;
    bool is_tcp;
    bool is_dropping; /* a drop has begun: nothing of it counts any more */
    const char *when;
    const char *user[COPY_USERS_MAX]; /* who may be able to connect */
    size_t users;
    const char *database; /* of the conninfo; "" none */
    const struct copy_space *space;
    size_t spaces;
};
const char *copy_facts_text(struct arena *a, const struct copy_facts *f); /* NULL: no memory */
MUST_CHECK bool copy_facts_parse(struct arena *a, struct str text, const char *path,
                                 struct copy_facts *out, struct err *err);

enum copy_runs { COPY_RUNS_NOT, COPY_RUNS_OURS, COPY_RUNS_OTHER, COPY_RUNS_UNKNOWN };

struct copy_home {
    const char *dest; /* links resolved */
    const char *dir, *log, *conf, *facts_path;
    bool is_there;      /* a cluster */
    bool is_unfinished; /* a restore that has not ended */
    bool has_facts;
    struct copy_facts facts;
    int major;
    struct control control; /* when is_there */
};
/* ERR_* only for what cannot be read; that nothing is there is an answer. */
MUST_CHECK bool copy_home_open(struct arena *a, const char *destination, struct copy_home *out,
                               struct err *err);
/* The same, and there is a copy of ours. */
MUST_CHECK bool copy_home_ours(struct arena *a, const char *destination, struct copy_home *out,
                               struct err *err);
MUST_CHECK bool copy_facts_save(struct arena *a, const struct copy_home *h, struct err *err);

/* Who runs there: the pid of postmaster.pid, alive, working in that directory. Ours when our
 * configuration is on its command line. Not known: postmaster.pid cannot be read. */
enum copy_runs copy_runs(struct arena *a, const struct copy_home *h, struct copy_pid_file *out);
bool copy_pid_lives(int64_t pid);

/* Its end of the log; empty when there is none. */
struct str copy_log_tail(struct arena *a, const struct copy_home *h);

/* Is this directory, or a tablespace of it, where the server itself keeps its data on this
 * host? `what` becomes that place. */
bool copy_is_live(const struct task *t, struct arena *a, const struct server_cfg *srv,
                  const struct copy_home *h, const char **what);
/* Is the server of that conninfo on this host, as far as it tells? */
bool copy_is_local(const char *conninfo);
/* data_directory of the live server, NULL when it does not answer; then the one of info. */
const char *copy_live_directory(const struct task *t, struct arena *a, const char *conninfo);

/* Links of pg_tblspc that lead out of PGDATA, resolved. */
MUST_CHECK bool copy_spaces(struct arena *a, const char *dest, const struct copy_space **out,
                            size_t *n, struct err *err);

/* Stop it: fast, and after a while at once. cancel is not looked at. */
MUST_CHECK bool copy_halt(struct arena *a, const struct copy_home *h, struct err *err);

/* ---- asking it ---------------------------------------------------------------------------- */

/* As a superuser; database NULL: any. */
MUST_CHECK struct pg *copy_connect(const struct task *t, struct arena *a,
                                   const struct copy_home *h, const char *database,
                                   struct err *err);

struct copy_state {
    bool in_recovery, is_paused;
    struct mark reached;
    pg_tli tli;
    const char *role;
};
MUST_CHECK bool copy_ask(struct pg *pg, const struct task *t, struct arena *a,
                         struct copy_state *out, struct err *err);

void copy_fill(struct arena *a, const struct copy_home *h, const struct copy_state *s,
               struct answer_copy *out);

#endif
