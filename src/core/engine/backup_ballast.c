/* SPDX-License-Identifier: PostgreSQL */
#include "backup_in.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define BALLAST (64 * 1024)

/* When the copy fills the disk there must be room to say so: an unlinked file keeps it. Where
 * that fails, the backup will most likely fail too, and say why. */
void backup_take_ballast(struct backup_run *r)
{
    char path[PATH_CAP];
    struct err unheard;

    if (!path_join(path, r->repo->own_dir, "ballast.XXXXXX", &unheard)) {
        return;
    }
    r->ballast = mkstemp(path);
    if (r->ballast >= 0) {
        unlink(path);
        (void)posix_fallocate(r->ballast, 0, BALLAST);
    }
}

void backup_drop_ballast(struct backup_run *r)
{
    if (r->ballast >= 0) {
        close(r->ballast);
    }
    r->ballast = -1;
}
