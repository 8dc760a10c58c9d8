/* SPDX-License-Identifier: PostgreSQL */
#include "xlogdb.h"

#include "base/fmt.h"
#include "wal/seg.h"
#include "xlogdb_line.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool next_word(struct str *line, struct str *word)
{
    size_t i = 0, from;

    while (i < line->n && is_blank(line->p[i])) {
        i++;
    }
    from = i;
    while (i < line->n && !is_blank(line->p[i])) {
        i++;
    }
    *word = str_n(line->p + from, i - from);
    *line = str_skip(*line, i);
    return word->n > 0;
}

#define MTIME_MAX UINT64_C(253402300799) /* the end of the year 9999 */

/* Digits with an optional fraction; Python writes moments just after 1970 as "5e-05". */
static bool parse_mtime(struct str s, double *out)
{
    static const double tens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    uint64_t whole, part = 0, down = 0;
    size_t digits = 0;

    if (!str_take_u64(&s, MTIME_MAX, &whole)) {
        return false;
    }
    if (str_take_char(&s, '.')) {
        for (; s.n && s.p[0] >= '0' && s.p[0] <= '9'; s = str_skip(s, 1)) {
            if (digits < 9) {
                part = part * 10 + (uint64_t)(s.p[0] - '0');
                digits++;
            }
        }
    }
    if (str_take_lit(&s, "e-") && !str_take_u64(&s, 400, &down)) {
        return false;
    }
    *out = (double)whole + (double)part / tens[digits];
    for (; down > 0; down--) {
        *out /= 10;
    }
    return s.n == 0;
}

static bool parse_codec(struct str word, char *out, size_t cap)
{
    out[0] = '\0';
    if (str_eq(word, "None")) {
        return true;
    }
    if (word.n >= cap) {
        return false;
    }
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] <= ' ' || word.p[i] > '~') {
            return false;
        }
    }
    memcpy(out, word.p, word.n);
    out[word.n] = '\0';
    return true;
}

static bool upper_hex(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'A' && p[i] <= 'F'))) {
            return false;
        }
    }
    return true;
}

/* Digits up to `end`; false for none, for more than 15, and for anything else before it. */
static bool digits_until(const char **p, const char *stop, char end, uint64_t *out, int *n)
{
    uint64_t v = 0;
    int count = 0;

    for (; *p < stop && **p >= '0' && **p <= '9' && count < 16; (*p)++, count++) {
        v = v * 10 + (uint64_t)(**p - '0');
    }
    if (count == 0 || count > 15 || *p == stop || **p != end) {
        return false;
    }
    (*p)++;
    *out = v;
    *n = count;
    return true;
}

/* The line of a plain segment as it is nearly always written, read in one go: lists have
 * 100,000 of them. false: have a closer look. */
static bool parse_usual(struct str line, struct wal_file *out)
{
    static const double tens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    const char *p, *stop;
    uint64_t whole, part;
    int n;

    if (line.n <= WAL_NAME_LEN + 1) {
        return false;
    }
    p = line.p + WAL_NAME_LEN + 1;
    stop = line.p + line.n;
    if (line.p[WAL_NAME_LEN] != '\t' || !upper_hex(line.p, WAL_NAME_LEN) ||
        memcmp(line.p, "00000000", 8) == 0 || !digits_until(&p, stop, '\t', &out->size, &n) ||
        !digits_until(&p, stop, '.', &whole, &n) || whole > MTIME_MAX ||
        !digits_until(&p, stop, '\t', &part, &n) || n > 9 || stop - p != 9 ||
        memcmp(p, "None\tNone", 9) != 0) {
        return false;
    }
    memcpy(out->name, line.p, WAL_NAME_LEN);
    out->name[WAL_NAME_LEN] = '\0';
    out->mtime = (double)whole + (double)part / tens[n];
    out->compression[0] = out->encryption[0] = '\0';
    return true;
}

bool xlogdb_parse_line(struct str line, struct wal_file *out)
{
    struct str word;

    if (parse_usual(line, out)) {
        return true;
    }
    if (!next_word(&line, &word) || word.n >= sizeof out->name ||
        wal_name_kind(word, WAL_CASE_EITHER) == WAL_NAME_OTHER) {
        return false;
    }
    memcpy(out->name, word.p, word.n);
    out->name[word.n] = '\0';
    if (!next_word(&line, &word) || !str_u64(word, UINT64_MAX, &out->size) ||
        !next_word(&line, &word) || !parse_mtime(word, &out->mtime)) {
        return false;
    }
    out->compression[0] = out->encryption[0] = '\0';
    if (!next_word(&line, &word)) {
        return true;
    }
    if (!parse_codec(word, out->compression, sizeof out->compression)) {
        return false;
    }
    if (!next_word(&line, &word)) {
        return true;
    }
    return parse_codec(word, out->encryption, sizeof out->encryption) &&
           !next_word(&line, &word);
}

void xlogdb_put_line(struct sbuf *b, const struct wal_file *wal)
{
    char mtime[FMT_CAP];

    sbuf_fmt(b, "%s\t%" PRIu64 "\t%s\t%s\t%s\n", wal->name, wal->size,
             fmt_py_float(wal->mtime, mtime), wal->compression[0] ? wal->compression : "None",
             wal->encryption[0] ? wal->encryption : "None");
}

bool xlogdb_legacy_ok(const struct wal_file *wal, struct err *err)
{
    return wal->encryption[0]
               ? err_set(err, ERR_UNSAFE,
                         "Keep encrypted WAL in a server of the current layout.", wal->name,
                         "an older Barman cannot be told that this file is encrypted")
               : true;
}

void xlogdb_put_legacy_line(struct sbuf *b, const struct wal_file *wal)
{
    char mtime[FMT_CAP];

    sbuf_fmt(b, "%s\t%" PRIu64 "\t%s\t%s\n", wal->name, wal->size,
             fmt_py_float(wal->mtime, mtime), wal->compression[0] ? wal->compression : "None");
}

bool xlogdb_bad_line(const struct xlogdb *db, uint64_t no, struct err *err)
{
    char what[PATH_CAP + 24];

    str_fmt(what, sizeof what, "%s:%" PRIu64, db->path, no);
    return err_set(err, ERR_FORMAT,
                   "Move that file away: it is made anew from the WAL files on disk.", what,
                   "not a line of the WAL catalogue");
}

bool xlogdb_open_locked(struct xlogdb *db, const struct repo *r, struct err *err)
{
    db->line = db->offset = 0;
    db->at = db->n = 0;
    db->end = false;
    db->lock = LOCK_INIT;
    db->fd = -1;
    return repo_xlogdb_find(r, db->path, err) && file_open(db->path, &db->fd, err);
}

bool xlogdb_open(struct xlogdb *db, const struct repo *r, struct err *err)
{
    struct lock lock = LOCK_INIT;
    struct err ignored;
    char path[PATH_CAP];

    if (!repo_xlogdb_find(r, path, err)) {
        return false;
    }
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        if (file_kind(r->wals_dir, NULL) == FILE_NONE) {
            *db = (struct xlogdb){.fd = -1, .lock = LOCK_INIT, .end = true};
            return true;
        }
        if (!xlogdb_make_missing(r, err)) {
            return false;
        }
    }
    if (!lock_take(&lock, r, LOCK_XLOGDB, LOCK_TRY, &ignored)) {
        lock = LOCK_INIT; /* read without it: see Locks in xlogdb.h */
    }
    if (!xlogdb_open_locked(db, r, err)) {
        lock_release(&lock);
        return false;
    }
    db->lock = lock;
    return true;
}

bool xlogdb_open_from(struct xlogdb *db, const struct repo *r, uint64_t from, struct err *err)
{
    struct err why;

    if (!xlogdb_open_locked(db, r, &why)) {
        db->end = true;
        db->offset = 0;
        if (why.os == ENOENT) {
            return true;
        }
        *err = why;
        return false;
    }
    if (lseek(db->fd, (off_t)from, SEEK_SET) < 0) {
        err_os(err, errno, "read", db->path);
        xlogdb_close(db);
        return false;
    }
    db->offset = from;
    return true;
}

/* Move what is left of the buffer to its front and fill it up. */
static bool fill(struct xlogdb *db, struct err *err)
{
    size_t got;

    memmove(db->buf, db->buf + db->at, db->n - db->at);
    db->n -= db->at;
    db->at = 0;
    if (!fd_read_full(db->fd, db->buf + db->n, sizeof db->buf - db->n, &got, db->path, err)) {
        return false;
    }
    db->end = got < sizeof db->buf - db->n;
    db->n += got;
    return true;
}

int xlogdb_next_line(struct xlogdb *db, struct str *line, struct err *err)
{
    for (;;) {
        char *from = db->buf + db->at;
        char *lf = db->n > db->at ? memchr(from, '\n', db->n - db->at) : NULL;

        if (lf) {
            *line = str_n(from, (size_t)(lf - from));
            db->at += line->n + 1;
            db->offset += line->n + 1;
            db->line++;
            return 1;
        }
        if (db->end) {
            return 0; /* what is left has no newline: being written, or torn */
        }
        if (db->at == 0 && db->n == sizeof db->buf) {
            (void)xlogdb_bad_line(db, db->line + 1, err);
            return -1;
        }
        if (!fill(db, err)) {
            return -1;
        }
    }
}

int xlogdb_next(struct xlogdb *db, struct wal_file *out, struct err *err)
{
    struct str line;
    int more = xlogdb_next_line(db, &line, err);

    if (more > 0 && !xlogdb_parse_line(line, out)) {
        (void)xlogdb_bad_line(db, db->line, err);
        return -1;
    }
    return more;
}

void xlogdb_close(struct xlogdb *db)
{
    if (db->fd >= 0) {
        close(db->fd);
        db->fd = -1;
    }
    lock_release(&db->lock);
}
