/* SPDX-License-Identifier: PostgreSQL */
#include "engine/check_archive.h"

#include "repo/xlogdb.h"
#include "wal/seg.h"

#include <inttypes.h>

#define HINT "Use another server name or wals_directory for the new server."

static bool count(struct xlogdb *db, pg_tli tli, uint64_t *n, struct err *err)
{
    struct wal_file wal;
    int more;

    for (*n = 0; (more = xlogdb_next(db, &wal, err)) > 0;) {
        pg_tli of;

        *n += tli == 0 || !wal_name_tli(str_of(wal.name), &of) || of >= tli;
    }
    return more == 0;
}

bool check_archive(const struct repo *r, pg_tli tli, struct err *err)
{
    struct xlogdb db;
    uint64_t n = 0;
    bool ok;

    if (!xlogdb_open(&db, r, err)) {
        return false;
    }
    ok = count(&db, tli, &n, err);
    xlogdb_close(&db);
    if (!ok || n == 0) {
        return ok;
    }
    if (tli == 0) {
        return err_set(err, ERR_UNSAFE, HINT, "", "Expected empty archive");
    }
    return err_set(err, ERR_UNSAFE, HINT, "",
                   "Found %" PRIu64 " file%s in WAL archive equal to or newer than timeline "
                   "%" PRIu32,
                   n, n > 1 ? "s" : "", tli);
}
