/* SPDX-License-Identifier: PostgreSQL */
/* put_wal.h - the verb put-wal: WAL files that barman-wal-archive sends become files of the incoming
 * directory.
 *
 *     tar stream:  <name of a WAL file>  ...  SHA256SUMS or MD5SUMS
 *     SUMS:        "<hex>  <name>" or "<hex> *<name>", "./" in front of a name is cut off
 *
 * Order    Every member goes to incoming/.<pid>-<name> while it arrives; what has been written is
 *          summed beside that, on a lane. When the stream is over the files are synced. Then every
 *          sum must have its file and every file its sum, and each file must be what its name says
 *          (the rules of wal_store.h). Then file by file the final name, and at the end the
 *          directory is synced. Only after that is it success, so what PostgreSQL is told to be
 *          archived survives a power cut. Whatever goes wrong before leaves nothing but files that
 *          were complete.
 * Twins    A file that is there already is never replaced. The same bytes: success. Others: moved
 *          to errors_dir as <name>.<UTC stamp>.duplicate, told as a warning with both sums, and
 *          success, since a failure would fill up pg_wal with a file that can never be taken.
 * Half     What lies there and is not what its name says (a copy that was cut off) goes to
 *          errors_dir as <name>.<UTC stamp>.error, with a warning; what arrived takes its place.
 * Left over  Files that a killed put-wal left, older than an hour and of a process that is gone,
 *          are removed by the next one.
 * Fails    with the sentence in `refusal` when the stream is not what it should be, else with err.
 * Source   Barman 3.17, put-wal and barman-wal-archive.
 */
#ifndef ENGINE_PUT_WAL_H
#define ENGINE_PUT_WAL_H

#include "barkeep/task.h"
#include "base/digest.h"
#include "repo_of.h"

#define PUT_FILES_MAX 64

struct put_wal {
    const struct repo *repo;
    struct wal_rules rules;
    int fd; /* the stream is read from here */
    const char
        *host; /* who sends: " (SSH host: IP)" goes behind each message; NULL: not known */
    char refusal[1024];
};

MUST_CHECK bool put_wal(const struct task *t, struct put_wal *what, struct err *err);

/* A line of a SUMS file; false: it is none. *name lies in line. */
bool put_sums_line(struct str line, struct str *sum, struct str *name);

/* The sums come behind the files, which are summed while they arrive: by the kind that came last,
 * which is noted when it was another one than guessed. A note that is lost or wrong costs a second
 * pass over the file. */
enum digest_kind put_sums_guess(const struct repo *r);
void put_sums_note(const struct repo *r, enum digest_kind guessed, enum digest_kind came);

/* ".<pid>-<name>" of processes that are gone, an hour old. */
void put_left_remove(const struct repo *r);

#endif
