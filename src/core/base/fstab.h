/* SPDX-License-Identifier: PostgreSQL */
/* fstab.h - is a directory the place of a disk that is not mounted?
 *
 *     /dev/sdb1  /srv  ext4  defaults  0 2       fstab: device, mount point, type, options
 *     41 26 8:17 / /srv rw - ext4 /dev/sdb1 rw   mountinfo: id, parent, device, root, mount point
 *
 * Blanks in a path are "\040", tabs "\011", a backslash "\134". Swap has no mount point; the root
 * is always there. Whether the line says noauto, nofail or bind, and which device it names, does
 * not matter: what is to be mounted there is not.
 *
 * Unmounted  A path is followed through its links, as far as it exists; the nearest mount point of
 *            the fstab at or above it counts. It is unmounted when the file system that holds the
 *            path is mounted above that place. So a disk mounted further down by other means, a
 *            bind, a subvolume or a stack of mounts is told from none.
 * Source     fstab(5), proc(5): mountinfo, and mnt_id of fdinfo.
 */
#ifndef BASE_FSTAB_H
#define BASE_FSTAB_H

#include "barkeep/str.h"
#include "file.h"

/* The next mount point in the text of an fstab, without escapes and a slash at its end. false:
 * there is none any more. */
bool fstab_next(struct str *text, char out[PATH_CAP]);

/* Where the mount of that id is, by lines of a mountinfo. false: it is not among them. */
bool mountinfo_point(struct str text, uint64_t id, char out[PATH_CAP]);

/* The unmounted place of /etc/fstab at or above the path, if there is one. What cannot be read
 * says nothing: false is no proof. Nor is it where a service or container has a bind of its own
 * upon the place, as ReadWritePaths= with ProtectSystem=strict makes one. */
bool fstab_unmounted(const char *path, char out[PATH_CAP]);

/* The first of n paths of which that is so, and the mount point as the line has it; n: none. NULL
 * is no path. */
size_t fstab_unmounted_one(const char *const *path, size_t n, char out[PATH_CAP]);
/* The same by the text of an fstab. */
size_t fstab_unmounted_by(struct str fstab, const char *const *path, size_t n,
                          char out[PATH_CAP]);

#endif
