/* SPDX-License-Identifier: PostgreSQL */
/* replication-status: Barman's lines and document. */
#include "session.h"

#include "base/doc.h"
#include "base/fmt.h"
#include "engine/replication.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct showing {
    struct session *s;
    const struct server_cfg *srv;
    const char *title, *key;
    enum replication_source source;
    enum replication_target target;
    struct replication of;
};

struct position {
    const char *label, *key;
    pg_lsn at;
};

#define POSITIONS 4

static void positions_of(const struct pg_sender *p, struct position out[POSITIONS])
{
    out[0] = (struct position){"Sent", "sent", p->sent};
    out[1] = (struct position){"Write", "write", p->write};
    out[2] = (struct position){"Flush", "flush", p->flush};
    out[3] = (struct position){"Replay", "replay", p->replay};
}

static const char *or_none(const char *text)
{
    return text ? text : "None";
}

static const char *lsn_or_none(pg_lsn lsn, char out[FMT_CAP])
{
    return lsn ? fmt_lsn(lsn, out) : "None";
}

/* How far the client is behind, below 0. */
static int64_t behind(const struct showing *w, pg_lsn at)
{
    return (int64_t)(at - w->of.lsn);
}

/* "Async standby", "#1 Sync standby" */
static const char *sender_name(const struct pg_sender *p, char *out, size_t cap)
{
    const char *state = or_none(p->sync_state);
    const char *kind = replication_is_standby(p) ? "standby" : "WAL streamer";
    char priority[32] = "";

    if (p->sync_priority) {
        str_fmt(priority, sizeof priority, "#%" PRIu64 " ", p->sync_priority);
    }
    str_fmt(out, cap, "%s%c%s %s", priority, toupper((unsigned char)state[0]), state + 1, kind);
    return out;
}

/* PostgreSQL says "+00", ISO 8601 "+00:00". */
static const char *iso_started(const char *started, char *out, size_t cap)
{
    size_t n = started ? strlen(started) : 0;

    if (!started) {
        return NULL;
    }
    str_fmt(out, cap, "%s%s", started,
            n > 3 && (started[n - 3] == '+' || started[n - 3] == '-') ? ":00" : "");
    return out;
}

/* ---- lines ---- */

static void minimal_line(const struct showing *w, const struct pg_sender *p, size_t n)
{
    struct console *c = &w->s->console;
    char sent[FMT_CAP], one[FMT_CAP], two[FMT_CAP];
    const char *from = p->client ? p->client : "socket";

    lsn_or_none(p->sent, sent);
    if (!replication_is_standby(p)) {
        console_say(c, SAY_OUT, "  %zu. W) %s@%s S:%s W:%s P:%" PRIu64 " AN:%s", n,
                    or_none(p->user), from, lsn_or_none(p->sent, sent),
                    lsn_or_none(p->write, one), p->sync_priority, or_none(p->application_name));
        return;
    }
    console_say(c, SAY_OUT, "  %zu. %c) %s@%s S:%s F:%s R:%s P:%" PRIu64 " AN:%s", n,
                toupper((unsigned char)or_none(p->sync_state)[0]), or_none(p->user), from,
                lsn_or_none(p->sent, sent), lsn_or_none(p->flush, one),
                lsn_or_none(p->replay, two), p->sync_priority, or_none(p->application_name));
}

static void sender_positions(const struct showing *w, const struct pg_sender *p)
{
    struct position at[POSITIONS];
    char lsn[FMT_CAP], size[FMT_CAP], label[32];

    positions_of(p, at);
    for (size_t i = 0; i < POSITIONS; i++) {
        if (at[i].at) {
            str_fmt(label, sizeof label, "%s LSN", at[i].label);
            console_say(&w->s->console, SAY_OUT, "     %-11s: %s (diff: %s)", label,
                        fmt_lsn(at[i].at, lsn), fmt_size(behind(w, at[i].at), size));
        }
    }
}

static void sender_lines(const struct showing *w, const struct pg_sender *p, size_t n)
{
    struct console *c = &w->s->console;
    char name[128], started[128];

    console_say(c, SAY_OUT, "%s", "");
    console_say(c, SAY_OUT, "  %zu. %s", n, sender_name(p, name, sizeof name));
    console_say(c, SAY_OUT, "     Application name: %s", or_none(p->application_name));
    console_say(c, SAY_OUT, "     Sync stage      : %s", replication_stage(p, w->of.lsn));
    if (p->client) {
        console_say(c, SAY_OUT, "     Communication   : TCP/IP");
        console_say(c, SAY_OUT, "     IP Address      : %s / Port: %s / Host: %s", p->client,
                    or_none(p->port), p->host ? p->host : "-");
    } else {
        console_say(c, SAY_OUT, "     Communication   : Unix domain socket");
    }
    console_say(c, SAY_OUT, "     User name       : %s", or_none(p->user));
    console_say(c, SAY_OUT, "     Current state   : %s (%s)", or_none(p->state),
                or_none(p->sync_state));
    if (p->slot) {
        console_say(c, SAY_OUT, "     Replication slot: %s", p->slot);
    }
    console_say(c, SAY_OUT, "     WAL sender PID  : %" PRIu64, p->pid);
    console_say(c, SAY_OUT, "     Started at      : %s",
                or_none(iso_started(p->started, started, sizeof started)));
    if (p->xmin) {
        console_say(c, SAY_OUT, "     Standby's xmin  : %s", p->xmin);
    }
    sender_positions(w, p);
}

static void heading(const struct showing *w, bool minimal)
{
    struct console *c = &w->s->console;
    char lsn[FMT_CAP];

    if (!minimal) {
        console_say(c, SAY_OUT, "Status of %s for server '%s':", w->title, w->srv->name);
        if (w->of.lsn) {
            console_say(c, SAY_OUT, "  Current LSN on master: %s", fmt_lsn(w->of.lsn, lsn));
        }
    } else {
        /* Python's capitalize(): the rest becomes small. */
        char title[64];

        str_copy(title, sizeof title, w->title);
        for (char *p = title; *p; p++) {
            *p = (char)(p == title ? toupper((unsigned char)*p) : tolower((unsigned char)*p));
        }
        if (w->of.lsn) {
            console_say(c, SAY_OUT, "%s for master '%s' (LSN @ %s):", title, w->srv->name,
                        fmt_lsn(w->of.lsn, lsn));
        } else {
            console_say(c, SAY_OUT, "%s for slave '%s':", title, w->srv->name);
        }
    }
    if (w->of.n == 0) {
        console_say(c, SAY_OUT, "  No %s attached", w->title);
    } else if (!minimal) {
        console_say(c, SAY_OUT, "  Number of %s: %zu", w->title, w->of.n);
    }
}

static void show_lines(const struct showing *w, bool minimal)
{
    heading(w, minimal);
    for (size_t i = 0; i < w->of.n; i++) {
        if (minimal) {
            minimal_line(w, &w->of.sender[i], i + 1);
        } else {
            sender_lines(w, &w->of.sender[i], i + 1);
        }
    }
}

/* ---- the document ---- */

static void put_lsn(struct doc *d, const char *key, pg_lsn lsn)
{
    char text[FMT_CAP];

    doc_text(d, key, lsn ? fmt_lsn(lsn, text) : NULL);
}

static void minimal_doc(struct doc *d, const struct pg_sender *p)
{
    char letter[2] = {(char)toupper((unsigned char)or_none(p->sync_state)[0]), '\0'};

    doc_text(d, "user_name", p->user);
    doc_text(d, "client_addr", p->client ? p->client : "socket");
    doc_int(d, "sync_priority", (int64_t)p->sync_priority);
    doc_text(d, "application_name", p->application_name);
    put_lsn(d, "sent_lsn", p->sent);
    if (!replication_is_standby(p)) {
        put_lsn(d, "write_lsn", p->write);
        return;
    }
    doc_text(d, "sync_state", letter);
    put_lsn(d, "flush_lsn", p->flush);
    put_lsn(d, "replay_lsn", p->replay);
}

static void doc_or_int(struct doc *d, const char *key, const char *text)
{
    int64_t n;

    if (text && str_i64(str_of(text), &n)) {
        doc_int(d, key, n);
    } else {
        doc_text(d, key, text);
    }
}

static void positions_doc(const struct showing *w, struct doc *d, const struct pg_sender *p)
{
    struct position at[POSITIONS];
    char key[48], size[FMT_CAP];

    positions_of(p, at);
    for (size_t i = 0; i < POSITIONS; i++) {
        if (!at[i].at) {
            continue;
        }
        str_fmt(key, sizeof key, "%s_lsn", at[i].key);
        put_lsn(d, key, at[i].at);
        str_fmt(key, sizeof key, "%s_lsn_diff", at[i].key);
        doc_text(d, key, fmt_size(behind(w, at[i].at), size));
        str_fmt(key, sizeof key, "%s_lsn_diff_bytes", at[i].key);
        doc_int(d, key, behind(w, at[i].at));
    }
}

static void sender_doc(const struct showing *w, struct doc *d, const struct pg_sender *p)
{
    char text[128];

    doc_text(d, "name", sender_name(p, text, sizeof text));
    doc_text(d, "application_name", p->application_name);
    doc_text(d, "sync_stage", replication_stage(p, w->of.lsn));
    if (p->client) {
        doc_text(d, "communication", "TCP/IP");
        doc_text(d, "ip_address", p->client);
        doc_or_int(d, "port", p->port);
        doc_text(d, "host", p->host);
    } else {
        doc_text(d, "communication", "Unix domain socket");
    }
    doc_text(d, "user_name", p->user);
    doc_text(d, "current_state", p->state);
    doc_text(d, "current_sync_state", p->sync_state);
    if (p->slot) {
        doc_text(d, "replication_slot", p->slot);
    }
    doc_int(d, "wal_sender_pid", (int64_t)p->pid);
    doc_text(d, "started_at", iso_started(p->started, text, sizeof text));
    if (p->xmin) {
        doc_text(d, "standbys_xmin", p->xmin);
    }
    positions_doc(w, d, p);
}

static void show_doc(const struct showing *w, bool minimal)
{
    struct doc *top = doc_object(w->s->console.doc, w->srv->name);
    struct doc *list = doc_array(top, w->key);

    put_lsn(top, "server_lsn", w->of.lsn);
    if (w->of.n == 0) {
        doc_fmt(top, "standby_info", "No %s attached", w->title);
    }
    for (size_t i = 0; i < w->of.n; i++) {
        struct doc *one = doc_add_object(list);

        if (minimal) {
            minimal_doc(one, &w->of.sender[i]);
        } else {
            sender_doc(w, one, &w->of.sender[i]);
        }
    }
}

/* ---- the command ---- */

static bool read_it(const struct task *task, void *arg, struct err *err)
{
    struct showing *w = arg;
    struct err why;

    if (replication_read(task, w->srv, w->source, w->target, &w->s->arena, &w->of, &why)) {
        return true;
    }
    if (why.code == ERR_CONNECT) {
        return err_set(err, ERR_CONNECT, why.hint, "", "Unable to connect to server %s: %s",
                       w->srv->name, why.why);
    }
    *err = why;
    return false;
}

void run_replication_status(struct session *s, const struct server_cfg *srv)
{
    const char *target = arg_text(&s->args, "target"), *source = arg_text(&s->args, "source");
    bool minimal = arg_given(&s->args, "minimal");
    struct showing w = {s,
                        srv,
                        "streaming clients",
                        "streaming_clients",
                        REPLICATION_BACKUP_HOST,
                        REPLICATION_ALL,
                        {0}};
    struct session_verb verb = {SESSION_LOOKS, srv, read_it, &w};

    if (target && strcmp(target, "hot-standby") == 0) {
        w.target = REPLICATION_STANDBYS;
        w.title = "hot standby servers";
        w.key = "hot_standby_servers";
    } else if (target && strcmp(target, "wal-streamer") == 0) {
        w.target = REPLICATION_STREAMERS;
        w.title = "WAL streamers";
        w.key = "wal_streamers";
    }
    if (source && strcmp(source, "wal-host") == 0) {
        w.source = REPLICATION_WAL_HOST;
    }
    if (!session_job(s, &verb)) {
        if (s->console.doc) {
            doc_object(s->console.doc, srv->name);
        }
        return;
    }
    if (s->console.doc) {
        show_doc(&w, minimal);
    } else {
        show_lines(&w, minimal);
    }
}
