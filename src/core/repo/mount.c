/* SPDX-License-Identifier: PostgreSQL */
#include "mount.h"

#include "base/fstab.h"

#include <dirent.h>
#include <string.h>

#define MOUNT_IT                                                                               \
    "Mount it, or take its line out of /etc/fstab if it is meant to be so; nothing was "       \
    "written there."

static bool holds_something(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *d;
    bool found = false;

    if (!dir) {
        return false;
    }
    while (!found && (d = readdir(dir))) {
        found = d->d_name[0] != '.';
    }
    closedir(dir);
    return found;
}

/* The first `kept` of the directories have backups or WAL: where something lies in one, whoever has
 * its mount point wants it so. */
static bool are_mounted(const char *const *dir, size_t n, size_t kept, const char *server,
                        struct err *err)
{
    char mount[PATH_CAP], wanted[PATH_CAP] = "";

    for (size_t i = 0; i < n; i++) {
        i += fstab_unmounted_one(dir + i, n - i, mount);
        if (i == n || strcmp(mount, wanted) == 0) {
            continue;
        }
        if (i >= kept || !holds_something(dir[i])) {
            return err_set(err, ERR_MISSING, MOUNT_IT, mount,
                           "nothing is mounted on this mount point of /etc/fstab, where server "
                           "%s keeps its files",
                           server);
        }
        str_copy(wanted, sizeof wanted, mount);
    }
    return true;
}

bool place_mounted(const char *dir, struct err *err)
{
    char mount[PATH_CAP];

    return !fstab_unmounted(dir, mount) || holds_something(dir) ||
           err_set(err, ERR_MISSING, MOUNT_IT, mount,
                   "nothing is mounted on this mount point of /etc/fstab, where '%s' is", dir);
}

bool repo_mounted(const struct repo *r, struct err *err)
{
    const char *const dir[] = {r->base_dir,   r->wals_dir,     r->home,          r->backup_dir,
                               r->xlogdb_dir, r->incoming_dir, r->streaming_dir, r->errors_dir};

    return are_mounted(dir, sizeof dir / sizeof dir[0], 2, r->server, err);
}

bool repo_home_mounted(const struct repo *r, struct err *err)
{
    const char *const dir[] = {r->base_dir, r->home};

    return are_mounted(dir, sizeof dir / sizeof dir[0], 1, r->server, err);
}
