/* SPDX-License-Identifier: PostgreSQL */
/* mount.h - is the disk of a server's directories there?
 *
 * What is written into an empty mount point fills the wrong disk, and is out of sight as soon as
 * the right one is mounted. So everything that writes asks here first: lock_take(),
 * repo_make_dirs(), put-wal, config-update, config-switch, and a job before its directory is made.
 *
 * Unmounted  As base/fstab.h has it. Except where backups or WAL lie in it all the same: then
 *            somebody keeps them there on purpose.
 * Errors     ERR_MISSING, with what to do.
 */
#ifndef REPO_MOUNT_H
#define REPO_MOUNT_H

#include "repo.h"

MUST_CHECK bool repo_mounted(const struct repo *r, struct err *err);
/* The same of barman_home and the backups alone: what only reads, and leaves a job's directory. */
MUST_CHECK bool repo_home_mounted(const struct repo *r, struct err *err);
/* The same of one directory, barman_home say; anything but dot files in it counts as kept. */
MUST_CHECK bool place_mounted(const char *dir, struct err *err);

#endif
