/* SPDX-License-Identifier: PostgreSQL */
/* fstab.h - is a directory the place of a disk that is not mounted?
 *
 * Lines of /etc/fstab: device, mount point, type, options. Blanks in a path are "\040", tabs
 * "\011", a backslash "\134". Binds and swap are no disks; the root is always there.
 * Source   fstab(5), getmntent(3).
 */
#ifndef BASE_FSTAB_H
#define BASE_FSTAB_H

#include "barkeep/str.h"
#include "file.h"

/* The nearest mount point at or above an absolute path, by the text of an fstab. false: none. */
bool fstab_above(struct str text, const char *path, char out[PATH_CAP]);

/* The same of /etc/fstab, if nothing is mounted there. What cannot be read says nothing. */
bool fstab_unmounted(const char *path, char out[PATH_CAP]);

/* The first of n paths of which that is so, and its mount point; n: none. NULL is no path. */
size_t fstab_unmounted_one(const char *const *path, size_t n, char out[PATH_CAP]);

#endif
