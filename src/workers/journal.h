/* SPDX-License-Identifier: PostgreSQL */
/* journal.h - the record of one job: a line a fact, written behind each other, read by anybody.
 *
 *     2026-11-22 13:43:59.813183+00:00 TAB began TAB verb=backup TAB server=orders-db1 ...
 *     time                                 kind      key=value, as many as the kind has
 *
 * Shapes   A value holds no control character (they become blanks), so TAB and LF only divide.
 *          What is reserved but not written reads as NUL bytes: a reader stops at the first. A
 *          line without its LF was torn by a crash and does not count.
 * Space    JOURNAL_STEP bytes are reserved ahead; the last JOURNAL_LINE_CAP of them are kept
 *          for the last fact. When no more can be reserved, facts before the last one are
 *          counted in `lost` and left out.
 * Threads  One writer, the collector of the job.
 * Source   doc/formats.md
 */
#ifndef WORKERS_JOURNAL_H
#define WORKERS_JOURNAL_H

#include "barkeep/err.h"
#include "barkeep/str.h"
#include "base/file.h"

#include <stdint.h>

#define JOURNAL_LINE_CAP 6144 /* a line with its LF and a NUL */
#define JOURNAL_STEP     65536
#define JOURNAL_MAX      (64 * 1024 * 1024) /* of one job; what comes then is lost, but the end */

struct fact {
    char line[JOURNAL_LINE_CAP];
    struct sbuf b;
};

void fact_init(struct fact *f, const char *kind);                  /* with the time of now */
void fact_add(struct fact *f, const char *key, const char *value); /* NULL: as "" */
void fact_add_u64(struct fact *f, const char *key, uint64_t value);

/* The value as it may stand in a line: control characters become blanks. */
void fact_clean(struct sbuf *b, const char *value);

/* Of a line without its LF: its kind, and a value by its key ("" when it is not there). */
struct str fact_kind(struct str line);
struct str fact_get(struct str line, const char *key);
int64_t fact_us(struct str line); /* its time; 0: not one */

struct journal {
    int fd; /* -1: none */
    uint64_t used, reserved;
    uint64_t lost; /* facts that found no room */
    char path[PATH_CAP];
};

/* Makes the file `journal` in the directory. ERR_BUSY when it is there. */
MUST_CHECK bool journal_open(struct journal *j, const char *dir, struct err *err);

/* JOURNAL_EDGE: the first or the last fact, which may use the kept room and is synced. */
enum journal_weight { JOURNAL_PLAIN, JOURNAL_EDGE };
MUST_CHECK bool journal_append(struct journal *j, const struct fact *f,
                               enum journal_weight weight, struct err *err);

/* Gives back what was reserved and not used. */
void journal_release(struct journal *j);

/* The line that begins at offset `at` into mem; false when none is there yet. */
bool journal_line(const struct journal *j, uint64_t at, char mem[JOURNAL_LINE_CAP],
                  struct str *line);

#endif
