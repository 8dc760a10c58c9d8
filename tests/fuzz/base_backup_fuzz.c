/* SPDX-License-Identifier: PostgreSQL */
/* What a server may answer to BASE_BACKUP, over a real connection of libpq to a socket of ours.
 *
 * There is one thread: the server's part is played whenever the client, about to wait, asks its task
 * whether to go on. The first byte of the input chooses the version, the rest is the answer, as
 * records of a kind, a length and so many bytes:
 *     0, 1  rows of 2 or 3 columns: fields end with 0, "\x01" is NULL     2  a copy begins
 *     3     a message of the copy     4  the copy ends     5  an error, SQLSTATE first
 *     6     a message of any kind     7  the command is complete, ready for the next
 * Lengths are right: libpq makes room for as much as a server announces, up to 2 GiB.
 * What holds whatever comes: the order of events that base_backup.h tells.
 */
#include "pg/base_backup.h"
#include "pg/conn.h"

#include "base/bug.h"
#include "base/clock.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REPLY_CAP (1 << 16) /* less than a socket holds */
#define COLS_MAX  3

static struct {
    int listens, fd; /* fd -1: nobody is connected */
    bool is_ready, has_answered;
    const uint8_t *data;
    size_t size;
    uint8_t reply[REPLY_CAP];
    size_t n;
} server = {.listens = -1, .fd = -1};

/* ---- the server ---- */

static void put(const void *p, size_t n)
{
    if (n <= REPLY_CAP - server.n) {
        memcpy(server.reply + server.n, p, n);
        server.n += n;
    }
}

static void put_u16(size_t v)
{
    put((const uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

static void put_u32(size_t v)
{
    put((const uint8_t[]){(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
                          (uint8_t)v},
        4);
}

static void message(char kind, const void *p, size_t n)
{
    put(&kind, 1);
    put_u32(n + 4);
    put(p, n);
}

static void parameter(const char *name, const char *value)
{
    size_t n = strlen(name) + 1, v = strlen(value) + 1;

    put("S", 1);
    put_u32(4 + n + v);
    put(name, n);
    put(value, v);
}

/* Columns of type text. */
static void put_description(size_t cols)
{
    static const char rest[18] = {[9] = 25, [10] = -1, [11] = -1};

    put("T", 1);
    put_u32(4 + 2 + cols * (2 + sizeof rest));
    put_u16(cols);
    for (size_t i = 0; i < cols; i++) {
        put("c", 2);
        put(rest, sizeof rest);
    }
}

static void put_row(const struct str *field, size_t cols)
{
    size_t all = 4 + 2;

    for (size_t i = 0; i < cols; i++) {
        all += 4 + (str_eq(field[i], "\x01") ? 0 : field[i].n);
    }
    put("D", 1);
    put_u32(all);
    put_u16(cols);
    for (size_t i = 0; i < cols; i++) {
        if (str_eq(field[i], "\x01")) {
            put_u32(0xffffffff);
        } else {
            put_u32(field[i].n);
            put(field[i].p, field[i].n);
        }
    }
}

static void rows(struct str text, size_t cols)
{
    struct str field[COLS_MAX];
    size_t n = 0;

    put_description(cols);
    while (text.n && str_split(&text, '\0', &field[n])) {
        if (++n == cols) {
            put_row(field, cols);
            n = 0;
        }
    }
    message('C', "SELECT", 7);
}

static void failure(struct str text)
{
    struct str state = str_n(text.p, text.n < 5 ? text.n : 5);

    put("E", 1);
    put_u32(4 + 7 + 1 + state.n + 1 + 1 + 5 + 1);
    put("SERROR", 7);
    put("C", 1);
    put(state.p, state.n);
    put("", 1);
    put("Mtold", 6);
    put("", 1);
}

static void record(unsigned kind, struct str text)
{
    switch (kind % 8) {
    case 0:
    case 1:
        rows(text, 2 + kind % 8);
        break;
    case 2:
        message('H', "\0\0\0", 3);
        break;
    case 3:
        message('d', text.p, text.n);
        break;
    case 4:
        message('c', "", 0);
        break;
    case 5:
        failure(text);
        break;
    case 6:
        if (text.n > 0) {
            message(text.p[0], text.p + 1, text.n - 1);
        }
        break;
    default:
        message('C', "SELECT", 7);
        message('Z', "I", 1);
        break;
    }
}

static void send_reply(void)
{
    for (size_t sent = 0; sent < server.n;) {
        ssize_t n = send(server.fd, server.reply + sent, server.n - sent, MSG_NOSIGNAL);

        if (n <= 0) {
            break; /* the client has gone */
        }
        sent += (size_t)n;
    }
    server.n = 0;
}

static void welcome(void)
{
    message('R', "\0\0\0\0", 4);
    parameter("server_version", server.data[0] & 1 ? "15.4" : "13.12");
    parameter("client_encoding", "UTF8");
    message('Z', "I", 1);
    send_reply();
    server.is_ready = true;
}

static void answer(void)
{
    for (size_t i = 1; i + 2 <= server.size;) {
        size_t n = server.data[i + 1], left = server.size - i - 2;

        n = n < left ? n : left;
        record(server.data[i], str_n((const char *)server.data + i + 2, n));
        i += 2 + n;
    }
    send_reply();
    shutdown(server.fd, SHUT_WR);
    server.has_answered = true;
}

static bool on_turn(void *self)
{
    char got[4096];
    ssize_t n;

    (void)self;
    if (server.fd < 0) {
        server.fd = accept(server.listens, NULL, NULL);
    }
    n = server.fd < 0 ? 0 : recv(server.fd, got, sizeof got, MSG_DONTWAIT);
    if (n > 0 && !server.is_ready) {
        welcome();
    } else if (n > 0 && got[0] == 'Q' && !server.has_answered) {
        answer();
    }
    return false;
}

/* In the abstract name space: nothing is left behind. */
static void server_open(char host[64])
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    socklen_t size;

    str_fmt(host, 64, "@barkeep-fuzz-%ld", (long)getpid());
    str_fmt(at.sun_path, sizeof at.sun_path, "%s/.s.PGSQL.5432", host);
    size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(at.sun_path));
    at.sun_path[0] = '\0';
    server.listens = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    BUG_IF(server.listens < 0 || bind(server.listens, (struct sockaddr *)&at, size) != 0 ||
           listen(server.listens, 8) != 0);
}

/* ---- the client ---- */

struct seen {
    size_t archives, begun;
    bool started, listed, open, manifest, ended;
};

static bool on_start(void *ctx, pg_lsn lsn, pg_tli tli, struct err *err)
{
    struct seen *s = ctx;

    (void)lsn;
    (void)err;
    BUG_IF(s->started || s->listed || tli == 0);
    s->started = true;
    return true;
}

static bool on_archives(void *ctx, const struct base_backup_archive *list, size_t n,
                        struct err *err)
{
    struct seen *s = ctx;

    (void)err;
    BUG_IF(!s->started || s->listed || n == 0 || list[n - 1].oid != 0);
    for (size_t i = 0; i + 1 < n; i++) {
        BUG_IF(list[i].oid == 0 || !list[i].location);
    }
    s->listed = true;
    s->archives = n;
    return true;
}

static bool on_archive(void *ctx, const struct base_backup_archive *archive, struct err *err)
{
    struct seen *s = ctx;

    (void)err;
    BUG_IF(!s->listed || s->open || s->manifest || ++s->begun > s->archives);
    BUG_IF((archive->oid == 0) != (s->begun == s->archives));
    return s->open = true;
}

static bool on_manifest(void *ctx, struct err *err)
{
    struct seen *s = ctx;

    (void)err;
    BUG_IF(!s->listed || s->open || s->manifest || s->begun != s->archives);
    return s->open = s->manifest = true;
}

static bool on_data(void *ctx, struct base_backup_buf buf, struct err *err)
{
    const struct seen *s = ctx;
    unsigned sum = 0;

    (void)err;
    BUG_IF(!s->open);
    for (size_t i = 0; i < buf.n; i++) {
        sum += (unsigned char)buf.p[i]; /* all of it can be read */
    }
    base_backup_free(&buf);
    return sum != UINT32_MAX;
}

static bool on_archive_end(void *ctx, struct err *err)
{
    struct seen *s = ctx;

    (void)err;
    BUG_IF(!s->open);
    s->open = false;
    return true;
}

static void back_up(const struct task *task, struct pg *pg)
{
    struct seen seen = {0};
    struct base_backup run = {
        .spec = {.label = "b"},
        .sink = {&seen, on_start, on_archives, on_archive, on_manifest, on_data,
                 on_archive_end},
    };
    struct err err = {0};

    if (base_backup_run(task, pg, &run, &err)) {
        BUG_IF(!seen.manifest || seen.open || seen.begun != seen.archives);
        BUG_IF(run.result.start_tli == 0 || run.result.end_tli == 0);
    } else {
        BUG_IF(err.code == ERR_NONE || err.code == ERR_TIMEOUT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char host[64], conninfo[128];
    struct pg_target target = {.conninfo = conninfo, .mode = PG_REPLICATION};
    struct task_sink sink;
    struct task task = task_serial(NULL, NULL, &sink);
    struct task_ops ops = *task.ops;
    struct err err = {0};
    struct pg *pg;

    if (size < 1) {
        return 0;
    }
    if (server.listens < 0) {
        server_open(host);
        str_fmt(conninfo, sizeof conninfo, "host=%s port=5432 user=u dbname=d", host);
    }
    server.data = data;
    server.size = size;
    server.is_ready = server.has_answered = false;
    ops.cancelled = on_turn;
    task.ops = &ops;
    task.deadline_ns = clock_mono_ns() + 10 * NS_PER_S;
    pg = pg_open(&task, &target, &err);
    BUG_IF(!pg);
    back_up(&task, pg);
    pg_close(pg);
    close(server.fd);
    server.fd = -1;
    return 0;
}
