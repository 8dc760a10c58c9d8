/* SPDX-License-Identifier: PostgreSQL */
/* gpg.h - files to and from OpenPGP by the gpg program.
 *
 * The key to encrypt with is named by encryption_key_id; the passphrase to decrypt with is what
 * encryption_passphrase_command writes (its last newline cut), and reaches gpg through a pipe
 * of its own (--pinentry-mode loopback --passphrase-fd), never through argv, the environment or
 * a file; it is wiped after use. What gpg says goes into the error, without the passphrase.
 *
 * A file is known to be encrypted by its first bytes (gpg_detect()).
 *
 * Errors  ERR_CONFIG: no key or no passphrase command; ERR_IO: gpg failed, with its reason.
 * Source  GnuPG 2.2 documentation; RFC 4880, packet headers.
 */
#ifndef REPO_GPG_H
#define REPO_GPG_H

#include "barkeep/err.h"
#include "barkeep/str.h"

#include <stddef.h>

#define GPG_HEAD_LEN 16 /* bytes that gpg_detect() wants to see */

struct gpg {                        /* what the configuration says */
    const char *key_id;             /* NULL: cannot encrypt */
    const char *passphrase_command; /* run by /bin/sh; NULL: cannot decrypt */
    const char *path;               /* in front of PATH for the programs; NULL: nothing */
    int cancel_fd;                  /* of the task; -1: none */
};

bool gpg_detect(const void *head, size_t n);

/* From each descriptor's position to the end of the input. what: its name for messages. What
 * was encrypted is not compressed by gpg. Without success, what to_fd holds is no file. */
MUST_CHECK bool gpg_encrypt(const struct gpg *g, int from_fd, int to_fd, const char *what,
                            struct err *err);
MUST_CHECK bool gpg_decrypt(const struct gpg *g, int from_fd, int to_fd, const char *what,
                            struct err *err);

#endif
