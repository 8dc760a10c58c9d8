/* SPDX-License-Identifier: PostgreSQL */
#include "journal.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void fact_clean(struct sbuf *b, const char *value)
{
    for (; value && *value; value++) {
        char c = *value;
        sbuf_char(b, (unsigned char)c < 0x20 || c == 0x7f ? ' ' : c);
    }
}

/* One byte stays free for the LF, which the appending puts. */
void fact_init(struct fact *f, const char *kind)
{
    char now[STAMP_CAP];

    sbuf_init(&f->b, f->line, sizeof f->line - 1);
    sbuf_fmt(&f->b, "%s\t%s", stamp_iso(stamp_local(clock_wall_ns() / 1000), now), kind);
}

void fact_add(struct fact *f, const char *key, const char *value)
{
    sbuf_fmt(&f->b, "\t%s=", key);
    fact_clean(&f->b, value);
}

void fact_add_u64(struct fact *f, const char *key, uint64_t value)
{
    sbuf_fmt(&f->b, "\t%s=%llu", key, (unsigned long long)value);
}

struct str fact_kind(struct str line)
{
    struct str part = {0};

    (void)(str_split(&line, '\t', &part) && str_split(&line, '\t', &part));
    return part;
}

struct str fact_get(struct str line, const char *key)
{
    struct str part;

    while (str_split(&line, '\t', &part)) {
        if (str_take_lit(&part, key) && str_take_char(&part, '=')) {
            return part;
        }
    }
    return str_of("");
}

int64_t fact_us(struct str line)
{
    struct time_text time;
    struct str part;

    return str_split(&line, '\t', &part) && time_parse(part, &time) && time.has_offset
               ? time.stamp.us
               : 0;
}

static bool reserve(struct journal *j)
{
    if (j->reserved + JOURNAL_STEP > JOURNAL_MAX ||
        posix_fallocate(j->fd, (off_t)j->reserved, JOURNAL_STEP) != 0) {
        return false;
    }
    j->reserved += JOURNAL_STEP;
    return true;
}

bool journal_open(struct journal *j, const char *dir, struct err *err)
{
    *j = (struct journal){.fd = -1};
    if (!path_join(j->path, dir, "journal", err)) {
        return false;
    }
    j->fd = open(j->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (j->fd < 0 && errno == EEXIST) {
        return err_set(err, ERR_BUSY, "Start the job under another number.", j->path,
                       "a job with this number has already begun");
    }
    if (j->fd < 0) {
        return err_os(err, errno, "create", j->path);
    }
    if (!reserve(j)) {
        err_set(err, ERR_IO, "Free space on that file system.", j->path,
                "%d bytes cannot be reserved", JOURNAL_STEP);
        journal_release(j);
        return false;
    }
    return true;
}

bool journal_append(struct journal *j, const struct fact *f, enum journal_weight weight,
                    struct err *err)
{
    uint64_t keep = weight == JOURNAL_PLAIN ? JOURNAL_LINE_CAP : 0;
    char line[JOURNAL_LINE_CAP];
    size_t n = f->b.len;

    memcpy(line, f->line, n);
    line[n++] = '\n';
    if (j->used + n + keep > j->reserved && !reserve(j) && j->used + n + keep > j->reserved) {
        j->lost++;
        return true;
    }
    if (!fd_pwrite_all(j->fd, line, n, (off_t)j->used, j->path, err)) {
        return false;
    }
    j->used += n;
    return weight == JOURNAL_PLAIN || fd_datasync(j->fd, j->path, err);
}

void journal_release(struct journal *j)
{
    if (j->fd < 0) {
        return;
    }
    /* The NUL bytes mean the same as the end of the file, so a refusal costs only their room.
     */
    if (ftruncate(j->fd, (off_t)j->used) == 0) {
        (void)fsync(j->fd);
    }
    close(j->fd);
    j->fd = -1;
}

bool journal_line(const struct journal *j, uint64_t at, char mem[JOURNAL_LINE_CAP],
                  struct str *line)
{
    struct str rest;
    ssize_t n;

    if (at >= j->used) {
        return false;
    }
    n = pread(j->fd, mem, JOURNAL_LINE_CAP, (off_t)at);
    rest = str_n(mem, n > 0 ? (size_t)n : 0);
    return str_line(&rest, line) && line->n < (size_t)n;
}
