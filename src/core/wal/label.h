/* SPDX-License-Identifier: PostgreSQL */
/* label.h - backup_label, backup history files and tablespace_map.
 *
 *     START WAL LOCATION: 0/2000028 (file 000000010000000000000002)
 *     CHECKPOINT LOCATION: 0/2000060
 *     BACKUP METHOD: streamed            BACKUP FROM: primary
 *     START TIME: 2026-11-22 13:43:59 UTC
 *     LABEL: anything, to the end of its line
 *     START TIMELINE: 1
 *     INCREMENTAL FROM LSN: 0/1000028    INCREMENTAL FROM TLI: 1          (17+, incremental)
 *     STOP WAL LOCATION, STOP TIME, STOP TIMELINE                    (backup history files)
 *
 *     16385 /srv/ts/a\\b                 tablespace_map: oid, blank, path; a backslash makes
 *                                        the next byte plain (newline, CR, backslash)
 *
 * Strict   The two locations must be there and right; a key twice is refused; unknown keys are
 *          passed over, so that a newer server's label is still read.
 * Time     As text: the zone is an abbreviation of the server's choice, which no reader can
 *          turn into a moment without guessing.
 * Memory   Texts live in the caller's arena. A text that is not there is NULL, a number 0.
 * Source   PostgreSQL 13-18, build_backup_content(), read_backup_label(),
 *          read_tablespace_map().
 */
#ifndef WAL_LABEL_H
#define WAL_LABEL_H

#include "barkeep/arena.h"
#include "wal/seg.h"

#define LABEL_MAX          (64 * 1024)
#define TABLESPACE_MAP_MAX (4 * 1024 * 1024)

struct backup_label {
    pg_lsn start, checkpoint, stop, incremental_from;
    char start_file[WAL_NAME_CAP], stop_file[WAL_NAME_CAP];
    pg_tli start_tli; /* of the START TIMELINE line, else of the file's name */
    pg_tli stop_tli, incremental_tli;
    const char *method; /* "streamed" */
    const char *from;   /* "primary", "standby" */
    const char *start_time, *stop_time;
    const char *label;
};

MUST_CHECK bool backup_label_parse(struct arena *a, struct str text, struct backup_label *out,
                                   struct err *err);

struct map_entry {
    uint32_t oid;
    const char *path;
};

struct tablespace_map {
    const struct map_entry *entry;
    size_t n;
};

/* An empty file is a map without entries. An oid twice is refused. */
MUST_CHECK bool tablespace_map_parse(struct arena *a, struct str text,
                                     struct tablespace_map *out, struct err *err);

#endif
