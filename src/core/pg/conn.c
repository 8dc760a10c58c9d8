/* SPDX-License-Identifier: PostgreSQL */
#include "pg/conn.h"

#include "base/clock.h"
#include "base/log.h"
#include "pg/conn_impl.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECT_TIMEOUT_S 30
#define POLL_SLICE_MS     100 /* how late a cancel may be seen where there is no cancel_fd */

/* ---- text --------------------------------------------------------------------------- */

const char *pg_one_line(const char *message, char *out, size_t cap)
{
    char flat[1024];
    struct sbuf b;
    bool blank = true;

    sbuf_init(&b, flat, sizeof flat);
    for (const char *p = message ? message : ""; *p; p++) {
        bool white = (unsigned char)*p <= ' ';
        if (white && blank) {
            continue;
        }
        blank = white;
        sbuf_char(&b, white ? ' ' : *p);
    }
    while (b.len > 0 && flat[b.len - 1] == ' ') {
        flat[--b.len] = '\0';
    }
    return redact(flat, out, cap);
}

static bool has_password(const char *conninfo)
{
    for (struct str s = str_of(conninfo); s.n; s = str_skip(s, 1)) {
        if (s.n >= 5 && str_eq_nocase(str_n(s.p, 5), "passw")) {
            return true;
        }
    }
    return false;
}

/* libpq's complaint about a conninfo quotes the piece it did not understand, which may be a
 * part of a password with a blank in it. Only what cannot be one is left. */
static void cover_quoted(char *text, const char *conninfo)
{
    bool inside = false;

    if (strstr(text, "invalid connection option") && !has_password(conninfo)) {
        return; /* a keyword misspelt: it helps to read which */
    }
    for (char *p = text; *p; p++) {
        if (*p == '"') {
            inside = !inside;
        } else if (inside && *p != '=') {
            *p = '*';
        }
    }
}

/* A URI whose password has an unescaped '@' or '/' comes apart in the wrong place, and a
 * piece of the password becomes host, port or database, which are shown. */
static bool is_torn_uri(const char *conninfo, const PQconninfoOption *option)
{
    const char *p = strstr(conninfo, "://");
    size_t ats = 0;
    bool path = false;

    if (!p || (size_t)(p - conninfo) != strspn(conninfo, "abcdefghijklmnopqrstuvwxyz")) {
        return false;
    }
    for (p += 3; *p && !(*p == '?' && (path || ats)); p++) {
        path = path || *p == '/';
        ats += *p == '@' ? 1 + path : 0;
    }
    for (const PQconninfoOption *o = option; o->keyword && ats < 2; o++) {
        if (strcmp(o->keyword, "port") == 0 && o->val &&
            o->val[strspn(o->val, "0123456789,")]) {
            return true;
        }
    }
    return ats > 1;
}

/* NULL: err is filled. To be freed with pq.conninfoFree(). */
static PQconninfoOption *parse(const char *conninfo, struct err *err)
{
    char *message = NULL;
    char line[256];
    PQconninfoOption *option = pq.conninfoParse(conninfo, &message);

    if (!option) {
        pg_one_line(message, line, sizeof line);
        cover_quoted(line, conninfo);
        err_set(err, ERR_CONFIG, "Correct conninfo or streaming_conninfo of the server.", "",
                "not a connection string: %s", line);
    }
    if (message) {
        pq.freemem(message);
    }
    if (option && is_torn_uri(conninfo, option)) {
        pq.conninfoFree(option);
        err_set(err, ERR_CONFIG, "Write '@' and '/' of a password in a URI as %40 and %2F.", "",
                "not a connection string: the parts of the URI cannot be told apart");
        return NULL;
    }
    return option;
}

const char *pg_show_conninfo(const char *conninfo, char *out, size_t cap)
{
    static const char *const shown[] = {"service", "host", "hostaddr",
                                        "port",    "user", "dbname"};
    PQconninfoOption *option;
    struct err err;
    struct sbuf b;

    sbuf_init(&b, out, cap);
    option = pq_load(&err) ? parse(conninfo, &err) : NULL;
    for (size_t i = 0; option && i < sizeof shown / sizeof shown[0]; i++) {
        for (const PQconninfoOption *o = option; o->keyword; o++) {
            if (o->val && o->val[0] && strcmp(o->keyword, shown[i]) == 0) {
                sbuf_fmt(&b, "%s%s=%s", b.len ? " " : "", o->keyword, o->val);
            }
        }
    }
    if (option) {
        pq.conninfoFree(option);
    }
    if (b.len == 0) {
        sbuf_add(&b, "local server");
    }
    return out;
}

bool pg_conninfo_value(const char *conninfo, const char *keyword, char *out, size_t cap)
{
    PQconninfoOption *option;
    struct err err;
    bool found = false;

    option = pq_load(&err) ? parse(conninfo, &err) : NULL;
    for (const PQconninfoOption *o = option; o && o->keyword; o++) {
        if (o->val && strcmp(o->keyword, keyword) == 0 && o->dispchar[0] != '*') {
            found = str_copy(out, cap, o->val);
        }
    }
    if (option) {
        pq.conninfoFree(option);
    }
    return found;
}

/* ---- waiting ------------------------------------------------------------------------ */

void pg_shutdown(struct pg *pg)
{
    int fd = pq.socket(pg->raw);

    if (fd >= 0 && !pg->down) {
        shutdown(fd, SHUT_RDWR);
    }
    pg->down = true;
}

static int slice_ms(const struct task *t)
{
    int64_t left_ms;

    if (!t->deadline_ns) {
        return t->cancel_fd < 0 ? POLL_SLICE_MS : -1;
    }
    left_ms = (t->deadline_ns - clock_mono_ns()) / NS_PER_MS + 1;
    if (left_ms < 0) {
        return 0;
    }
    if (t->cancel_fd < 0 && left_ms > POLL_SLICE_MS) {
        return POLL_SLICE_MS;
    }
    return left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

bool pg_wait(struct pg *pg, const struct task *t, short events, short *ready, struct err *err)
{
    for (;;) {
        struct pollfd fd[2] = {
            {.fd = pg_fd(pg), .events = events},
            {.fd = t->cancel_fd, .events = POLLIN},
        };
        int n;

        if (fd[0].fd < 0) {
            return err_set(err, ERR_CONNECT, "", pg->shown, "the connection is closed");
        }
        if (!task_go_on(t, err)) {
            pg_shutdown(pg);
            return false;
        }
        n = poll(fd, 2, slice_ms(t));
        if (n < 0 && errno != EINTR) {
            int os = errno;
            pg_shutdown(pg);
            return err_os(err, os, "wait for the server", pg->shown);
        }
        if (n > 0 && fd[0].revents) {
            *ready = fd[0].revents;
            return true;
        }
    }
}

static const char *hint_of(const char *line)
{
    if (strstr(line, "authentication failed") || strstr(line, "pg_hba.conf") ||
        strstr(line, "no password supplied")) {
        return "Look at the user and password of conninfo or ~/.pgpass, and at the server's "
               "pg_hba.conf.";
    }
    return "Look whether the server runs and can be reached.";
}

bool pg_lost(struct pg *pg, struct err *err)
{
    char line[256];

    pg_one_line(pq.errorMessage(pg->raw), line, sizeof line);
    pg_shutdown(pg);
    return err_set(err, ERR_CONNECT, hint_of(line), pg->shown, "%s",
                   line[0] ? line : "the connection was lost");
}

/* ---- opening ------------------------------------------------------------------------ */

static void take_notice(void *arg, const PGresult *res)
{
    const struct pg *pg = arg;
    const char *message;
    char line[1024];

    if (!pg->notice) {
        return;
    }
    message = pq.resultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    pg->notice(pg->notice_ctx, pg_one_line(message ? message : "", line, sizeof line));
}

void pg_on_notice(struct pg *pg, void *ctx, void (*fn)(void *ctx, const char *line))
{
    pg->notice_ctx = ctx;
    pg->notice = fn;
}

static PGconn *start(const struct pg_target *target)
{
    /* What stands before dbname the conninfo may override, what comes after it is ours. */
    const char *keyword[16], *value[16];
    char idle[16];
    size_t n = 0;

#define PUT(k, v) (keyword[n] = (k), value[n] = (v), n++)
    str_fmt(idle, sizeof idle, "%d", target->keepalive_s > 0 ? target->keepalive_s : 30);
    PUT("keepalives", target->keepalive_s < 0 ? "0" : "1");
    PUT("keepalives_idle", idle);
    PUT("keepalives_interval", "10");
    PUT("keepalives_count", "3");
    PUT("tcp_user_timeout", "60000");
    PUT("fallback_application_name", "barkeep");
    if (target->mode == PG_ORDINARY) {
        PUT("client_encoding", "UTF8");
    }
    PUT("dbname", target->conninfo);
    if (target->database) { /* a second one is a name, whatever is in it */
        PUT("dbname", target->database);
    }
    if (target->application_name) {
        PUT("application_name", target->application_name);
    }
    if (target->mode == PG_REPLICATION) {
        PUT("replication", "true");
    }
    PUT(NULL, NULL);
#undef PUT
    return pq.connectStartParams(keyword, value, 1);
}

/* connect_timeout as it is in force (conninfo, service file or environment) for each host. */
static int64_t connect_ns(PGconn *raw)
{
    PQconninfoOption *option = pq.conninfo(raw);
    uint64_t seconds = CONNECT_TIMEOUT_S, hosts = 1;

    for (const PQconninfoOption *o = option; o && o->keyword; o++) {
        if (!o->val) {
            continue;
        }
        if (strcmp(o->keyword, "connect_timeout") == 0) {
            uint64_t given;
            if (str_u64(str_of(o->val), 86400, &given) && given > 0) {
                seconds = given < 2 ? 2 : given;
            }
        } else if (strcmp(o->keyword, "host") == 0) {
            for (const char *p = o->val; *p; p++) {
                hosts += *p == ',';
            }
        }
    }
    if (option) {
        pq.conninfoFree(option);
    }
    return (int64_t)(seconds * hosts) * NS_PER_S;
}

static bool connect_poll(struct pg *pg, const struct task *t, struct err *err)
{
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;

    if (pq.status(pg->raw) == CONNECTION_BAD) {
        return pg_lost(pg, err);
    }
    while (want != PGRES_POLLING_OK) {
        short ready;

        if (want == PGRES_POLLING_FAILED) {
            return pg_lost(pg, err);
        }
        if (!pg_wait(pg, t, want == PGRES_POLLING_READING ? POLLIN : POLLOUT, &ready, err)) {
            return false;
        }
        want = pq.connectPoll(pg->raw);
    }
    return true;
}

static bool connect_wait(struct pg *pg, const struct task *t, struct err *err)
{
    struct task near = *t;
    int64_t by = clock_mono_ns() + connect_ns(pg->raw);
    bool ours = !t->deadline_ns || by < t->deadline_ns;

    if (ours) {
        near.deadline_ns = by;
    }
    if (connect_poll(pg, &near, err)) {
        return true;
    }
    if (ours && err->code == ERR_TIMEOUT) {
        err_set(err, ERR_CONNECT,
                "Look whether the server can be reached, or set connect_timeout.", pg->shown,
                "no answer within connect_timeout");
    }
    return false;
}

#define SESSION                                                                                \
    "SELECT pg_catalog.set_config('search_path', '', false),"                                  \
    " pg_catalog.set_config('statement_timeout', '0', false),"                                 \
    " pg_catalog.set_config('lock_timeout', '0', false),"                                      \
    " pg_catalog.set_config('idle_in_transaction_session_timeout', '0', false)"
#define SESSION_14 ", pg_catalog.set_config('idle_session_timeout', '0', false)"
#define LOOK_14    ", pg_catalog.set_config('client_connection_check_interval', '1s', false)"

/* An empty search_path, so that no function of a user stands before a built-in one, and no
 * time-out that would end a session which waits for us; all in one question. */
static bool prepare(struct pg *pg, const struct task *t, struct err *err)
{
    struct err why;

    if (pg_version(pg) < 140000) {
        return pg_query(pg, t, SESSION, NULL, NULL, err);
    }
    if (pg_query(pg, t, SESSION SESSION_14 LOOK_14, NULL, NULL, &why)) {
        return true;
    }
    if (!pg_is_open(pg)) {
        *err = why;
        return false;
    }
    /* A server whose system cannot look at its sockets refuses that; it works without. */
    return pg_query(pg, t, SESSION SESSION_14, NULL, NULL, err);
}

static struct pg *pg_new(const char *conninfo, struct err *err)
{
    struct pg *pg = calloc(1, sizeof *pg);

    if (!pg) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    pg_show_conninfo(conninfo, pg->shown, sizeof pg->shown);
    return pg;
}

static void pg_free(struct pg *pg)
{
    if (pg->raw) {
        pq.finish(pg->raw);
    }
    free(pg);
}

static bool open_with(struct pg *pg, const struct task *t, const struct pg_target *target,
                      struct err *err)
{
    pg->raw = start(target);
    if (!pg->raw) {
        return err_set(err, ERR_MEMORY, "", "", "out of memory");
    }
    pq.setNoticeReceiver(pg->raw, take_notice, pg);
    if (!connect_wait(pg, t, err)) {
        return false;
    }
    if (pq.setnonblocking(pg->raw, 1) != 0) {
        return pg_lost(pg, err);
    }
    if (pg_version(pg) < 130000) {
        return err_set(err, ERR_CONNECT, "Upgrade the server: 13 is the oldest supported.",
                       pg->shown, "PostgreSQL %d.%d is too old", pg_version(pg) / 10000,
                       pg_version(pg) / 100 % 100);
    }
    return target->mode == PG_REPLICATION || prepare(pg, t, err);
}

void pg_load(void)
{
    struct err unheard;

    if (!pq_load(&unheard)) {
        return; /* told by whoever connects */
    }
}

struct pg *pg_open(const struct task *t, const struct pg_target *target, struct err *err)
{
    PQconninfoOption *option;
    struct pg *pg;

    if (!pq_load(err)) {
        return NULL;
    }
    option = parse(target->conninfo, err); /* before libpq quotes a part of it in a message */
    if (!option) {
        return NULL;
    }
    pq.conninfoFree(option);
    pg = pg_new(target->conninfo, err);
    if (!pg) {
        return NULL;
    }
    if (!open_with(pg, t, target, err)) {
        err_wrap(err, "connect to PostgreSQL");
        pg_free(pg);
        return NULL;
    }
    return pg;
}

void pg_close(struct pg *pg)
{
    if (pg) {
        pg_free(pg);
    }
}

bool pg_is_open(const struct pg *pg)
{
    return !pg->down && pq.status(pg->raw) == CONNECTION_OK;
}

int pg_version(const struct pg *pg)
{
    return pq.serverVersion(pg->raw);
}

int pg_fd(const struct pg *pg)
{
    return pg->down ? -1 : pq.socket(pg->raw);
}

const char *pg_sqlstate(const struct pg *pg)
{
    return pg->sqlstate;
}

const char *pg_server_text(const struct pg *pg, const char *name)
{
    return pq.parameterStatus(pg->raw, name);
}
