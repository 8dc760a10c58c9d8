/* SPDX-License-Identifier: PostgreSQL */
/* copy_ask.c - connect to a started copy, ask how it stands, and look without changing it. */
#include "engine/copy_in.h"

#include "base/clock.h"
#include "engine/restore_conf.h"

#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_S    10
#define CONNINFO_CAP 2048

/* What a role or database may have set (ALTER ROLE ... SET) must not stop us: what a client asks
 * for at the start wins. */
#define OUR_OPTIONS "-c session_preload_libraries= -c local_preload_libraries= -c role=none"

/* A value of a connection string: between quotes, ' and \ escaped. */
static void put_value(struct sbuf *b, const char *key, const char *value)
{
    sbuf_fmt(b, "%s='", key);
    for (const char *p = value; *p; p++) {
        if (*p == '\'' || *p == '\\') {
            sbuf_char(b, '\\');
        }
        sbuf_char(b, *p);
    }
    sbuf_add(b, "' ");
}

/* Nothing of our environment (PGSSLMODE, PGTARGETSESSIONATTRS, ...) has a say. */
static const char *conninfo_of(struct arena *a, const struct copy_home *h, const char *user,
                               const char *database)
{
    char *mem = arena_alloc(a, CONNINFO_CAP);
    struct sbuf b;

    if (!mem) {
        return NULL;
    }
    sbuf_init(&b, mem, CONNINFO_CAP);
    put_value(&b, "host", h->facts.socket_dir);
    sbuf_fmt(&b, "port=%u ", h->facts.port);
    put_value(&b, "user", user);
    put_value(&b, "dbname", database);
    put_value(&b, "options", OUR_OPTIONS);
    sbuf_add(&b, "sslmode=disable gssencmode=disable target_session_attrs=any "
                 "channel_binding=prefer application_name=barkeep password=''");
    return sbuf_ok(&b) ? mem : NULL;
}

static struct pg *open_as(const struct task *t, struct arena *a, const struct copy_home *h,
                          const char *const who[2], struct err *err)
{
    struct task near = *t;
    int64_t by = clock_mono_ns() + CONNECT_S * NS_PER_S;
    struct pg_target target = {.conninfo = conninfo_of(a, h, who[0], who[1])};

    if (!target.conninfo) {
        err_set(err, ERR_FORMAT, "", who[0], "a name is too long");
        return NULL;
    }
    near.deadline_ns = near.deadline_ns && near.deadline_ns < by ? near.deadline_ns : by;
    return pg_open(&near, &target, err);
}

/* The roles that may exist there: those we know of, postgres, the user we are. */
static size_t roles(struct arena *a, const struct copy_home *h, const char *out[8])
{
    const struct passwd *own = getpwuid(geteuid());
    size_t n = 0;

    for (size_t i = 0; i < h->facts.users; i++) {
        out[n++] = h->facts.user[i];
    }
    out[n++] = "postgres";
    if (own) {
        const char *name = arena_strdup(a, own->pw_name);
        if (name) {
            out[n++] = name;
        }
    }
    return n;
}

static struct pg *open_any(const struct task *t, struct arena *a, const struct copy_home *h,
                           const char *database, struct err *err)
{
    const char *role[8], *base[4];
    size_t n = roles(a, h, role), bases = 0;
    struct pg *pg = NULL;

    if (database) {
        base[bases++] = database;
    } else {
        if (h->facts.database[0]) {
            base[bases++] = h->facts.database;
        }
        base[bases++] = "postgres";
        base[bases++] = "template1";
    }
    for (size_t i = 0; i < n * bases && !pg; i++) {
        struct err why = {0};

        pg = open_as(t, a, h, (const char *const[2]){role[i / bases], base[i % bases]}, &why);
        if (!pg && (i == 0 || why.code != ERR_CONNECT)) {
            *err = why;
        }
        if (!pg && why.code != ERR_CONNECT) {
            return NULL;
        }
    }
    return pg;
}

/* A role with all rights that may log in; NULL: we are one, or there is none. */
static const char *better_role(struct pg *pg, const struct task *t, struct arena *a)
{
    struct pg_rows rows = {0};
    const char *found = NULL;
    struct err err;

    if (pg_query(pg, t,
                 "SELECT rolname, rolname = current_user FROM pg_catalog.pg_roles"
                 " WHERE rolsuper AND rolcanlogin"
                 " ORDER BY rolname = current_user DESC, oid LIMIT 1",
                 NULL, &rows, &err) &&
        rows.rows == 1 && !pg_bool(&rows, 0, 1)) {
        found = arena_strdup(a, pg_text(&rows, 0, 0));
    }
    pg_rows_clear(&rows);
    return found;
}

static const char *database_of(struct pg *pg, const struct task *t, struct arena *a)
{
    struct pg_rows rows = {0};
    const char *found = NULL;
    struct err err;

    if (pg_query(pg, t, "SELECT pg_catalog.current_database()", NULL, &rows, &err)) {
        found = arena_strdup(a, pg_text(&rows, 0, 0));
    }
    pg_rows_clear(&rows);
    return found;
}

struct pg *copy_connect(const struct task *t, struct arena *a, const struct copy_home *h,
                        const char *database, struct err *err)
{
    struct pg *pg = open_any(t, a, h, database, err), *other;
    const char *role, *base;
    struct err ignored;

    role = pg ? better_role(pg, t, a) : NULL;
    if (!role) {
        return pg;
    }
    base = database_of(pg, t, a);
    other = base ? open_as(t, a, h, (const char *const[2]){role, base}, &ignored) : NULL;
    if (other) {
        pg_close(pg);
        return other;
    }
    return pg;
}

/* ---- how it stands ------------------------------------------------------------------------ */

/* pg_last_xact_replay_timestamp() stays what it was when recovery has ended. */
#define ASK(paused)                                                                            \
    "SELECT pg_catalog.pg_is_in_recovery(),"                                                   \
    " CASE WHEN pg_catalog.pg_is_in_recovery() THEN " paused " ELSE false END,"                \
    " (extract(epoch FROM pg_catalog.pg_last_xact_replay_timestamp()) * 1000000)::bigint,"     \
    " pg_catalog.pg_last_wal_replay_lsn(),"                                                    \
    " greatest((SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()),"                  \
    " (SELECT min_recovery_end_timeline FROM pg_catalog.pg_control_recovery())),"              \
    " current_user"

bool copy_ask(struct pg *pg, const struct task *t, struct arena *a, struct copy_state *out,
              struct err *err)
{
    const char *sql = pg_version(pg) >= 140000
                          ? ASK("pg_catalog.pg_get_wal_replay_pause_state() = 'paused'")
                          : ASK("pg_catalog.pg_is_wal_replay_paused()");
    struct pg_rows rows = {0};
    uint64_t number;

    *out = (struct copy_state){0};
    if (!pg_query(pg, t, sql, NULL, &rows, err)) {
        return false;
    }
    out->in_recovery = pg_bool(&rows, 0, 0);
    out->is_paused = pg_bool(&rows, 0, 1);
    if (pg_u64(&rows, 0, 2, &number)) {
        out->reached.us = (int64_t)number;
        out->reached.is_proven = true;
    }
    (void)pg_lsn_at(&rows, 0, 3, &out->reached.lsn);
    if (pg_u64(&rows, 0, 4, &number)) {
        out->tli = (pg_tli)number;
    }
    out->role = arena_strdup(a, pg_text(&rows, 0, 5));
    pg_rows_clear(&rows);
    return out->role || arena_err(a, err);
}

static const char *shell_word(struct arena *a, const char *word)
{
    char mem[512];
    struct sbuf b;

    if (strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./") ==
        strlen(word)) {
        return word;
    }
    sbuf_init(&b, mem, sizeof mem);
    sbuf_char(&b, '\'');
    for (const char *p = word; *p; p++) {
        sbuf_add_n(&b, *p == '\'' ? "'\\''" : p, *p == '\'' ? 4 : 1);
    }
    sbuf_char(&b, '\'');
    return sbuf_ok(&b) ? arena_strdup(a, mem) : word;
}

static const char *sentence_of(struct arena *a, const struct copy_state *s)
{
    char when[STAMP_CAP];
    const char *what = s->is_paused     ? "paused at its target, read-only"
                       : s->in_recovery ? "replaying"
                                        : "open for writing";

    if (!s->reached.is_proven) {
        return what;
    }
    return arena_fmt(a, "%s; the last commit in it is of %s", what,
                     stamp_iso(stamp_local(s->reached.us), when));
}

/* The place comes from the facts; s NULL: it does not answer. */
void copy_fill(struct arena *a, const struct copy_home *h, const struct copy_state *s,
               struct answer_copy *out)
{
    const struct copy_facts *f = &h->facts;

    out->log = h->log;
    out->socket_dir = f->socket_dir;
    out->port = f->port;
    if (!s) {
        return;
    }
    out->phase = s->is_paused ? COPY_PAUSED : s->in_recovery ? COPY_REPLAYING : COPY_OPEN;
    out->sentence = sentence_of(a, s);
    out->reached = s->reached;
    out->tli = s->tli;
    out->psql = arena_fmt(a, "psql -h %s -p %u -U %s -d %s", f->socket_dir, f->port,
                          shell_word(a, s->role),
                          shell_word(a, f->database[0] ? f->database : "postgres"));
}

/* ---- look --------------------------------------------------------------------------------- */

static void look_at_stopped(struct arena *a, const struct copy_home *h, struct answer_copy *out)
{
    struct copy_log log;

    copy_log_parse(a, copy_log_tail(a, h), &log);
    out->phase = COPY_STOPPED;
    out->sentence = log.shut_at_target ? "came to its target and shut down" : "stopped";
    if (log.fatal && !log.shut_at_target) {
        out->phase = COPY_FAILED;
        out->sentence = log.fatal;
    }
}

static bool look_at_running(const struct task *t, struct arena *a, const struct copy_home *h,
                            const struct copy_pid_file *pid, struct answer_copy *out)
{
    struct copy_state state;
    struct copy_log log;
    struct err why = {0};
    struct pg *pg = pid->is_ready ? copy_connect(t, a, h, NULL, &why) : NULL;
    bool known = pg && copy_ask(pg, t, a, &state, &why);

    pg_close(pg);
    copy_fill(a, h, known ? &state : NULL, out);
    if (!known) {
        copy_log_parse(a, copy_log_tail(a, h), &log);
        out->phase = COPY_REPLAYING;
        out->sentence =
            pid->is_ready ? arena_fmt(a, "runs, and cannot be asked: %s", why.why) : log.stage;
    }
    return out->sentence != NULL;
}

bool copy_look(const struct task *t, struct arena *a, const char *destination,
               struct answer_copy *out, struct err *err)
{
    struct copy_pid_file pid;
    struct copy_home h;
    enum copy_runs runs;

    *out = (struct answer_copy){.phase = COPY_ABSENT, .sentence = "nothing is there"};
    if (!copy_home_open(a, destination, &h, err)) {
        return false;
    }
    if (h.has_facts && h.facts.is_dropping) {
        out->sentence = "a drop of it was interrupted: give the same command again";
        return true;
    }
    if (!h.is_there || h.is_unfinished) {
        out->sentence = h.is_unfinished ? "a restore that has not ended" : out->sentence;
        return true;
    }
    runs = copy_runs(a, &h, &pid);
    out->pid = runs == COPY_RUNS_NOT ? 0 : pid.pid;
    if (h.has_facts) {
        copy_fill(a, &h, NULL, out);
    }
    if (runs == COPY_RUNS_UNKNOWN) {
        out->phase = COPY_FILES;
        out->sentence = "its postmaster.pid cannot be read: a server may run there";
    } else if (runs == COPY_RUNS_OTHER) {
        out->phase = COPY_FILES;
        out->sentence = arena_fmt(
            a, "process %" PRId64 " runs there, which start-copy did not start", pid.pid);
    } else if (runs == COPY_RUNS_OURS) {
        return look_at_running(t, a, &h, &pid, out) || arena_err(a, err);
    } else if (h.has_facts) {
        look_at_stopped(a, &h, out);
    } else {
        out->phase = COPY_FILES;
        out->sentence = "restored, not started";
    }
    return out->sentence || arena_err(a, err);
}
