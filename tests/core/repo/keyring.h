/* SPDX-License-Identifier: PostgreSQL */
/* keyring.h - a throw-away home for the real gpg, with one key, and a gpg that tells what could
 * be seen of it: `seen` holds every command line and environment while it ran.
 */
#ifndef TESTS_REPO_KEYRING_H
#define TESTS_REPO_KEYRING_H

#include "harness.h"

#include "base/file.h"
#include "repo/gpg.h"

#include <stdio.h>
#include <stdlib.h>

#define KEYRING_ID "barkeep-test@example.org"

struct keyring {
    char home[64];
    char secret[64];   /* of this keyring alone: other tests may run beside it */
    char command[128]; /* prints the passphrase */
    struct gpg gpg;
};

/* Its commands know the place as $GNUPGHOME. */
static inline void keyring_shell(const char *text)
{
    if (system(text) != 0) {
        fail_msg("failed: %s", text);
    }
}

static inline void keyring_init(struct keyring *k)
{
    snprintf(k->home, sizeof k->home, "/tmp/barkeep-gpg-XXXXXX");
    assert_non_null(mkdtemp(k->home));
    setenv("GNUPGHOME", k->home, 1);
    snprintf(k->secret, sizeof k->secret, "%.6s open sesame", strrchr(k->home, '-') + 1);
    setenv("SECRET", k->secret, 1);
    /* the agent else calibrates itself to need a tenth of a second for each use of it */
    keyring_shell("cd $GNUPGHOME && echo 's2k-count 65536' >gpg-agent.conf && "
                  "printf '%s\\n' \"$SECRET\" >secret && "
                  "printf '%s\\n' 'Key-Type: eddsa' 'Key-Curve: ed25519' "
                  "'Key-Usage: sign' 'Subkey-Type: ecdh' 'Subkey-Curve: cv25519' "
                  "'Subkey-Usage: encrypt' 'Name-Email: " KEYRING_ID "' 'Expire-Date: 0' "
                  "\"Passphrase: $SECRET\" '%commit' >key && "
                  "gpg --batch --quiet --gen-key key >log 2>&1 && rm key && "
                  "mkdir seeing && printf '%s\\n' '#!/bin/sh' "
                  "'cat /proc/[0-9]*/cmdline /proc/self/environ 2>/dev/null >>$GNUPGHOME/seen' "
                  "'PATH=${PATH#*:}' 'exec gpg \"$@\"' >seeing/gpg && chmod +x seeing/gpg");
    unsetenv("SECRET");
    snprintf(k->command, sizeof k->command, "cat %s/secret", k->home);
    k->gpg =
        (struct gpg){.key_id = KEYRING_ID, .passphrase_command = k->command, .cancel_fd = -1};
}

static inline void keyring_release(struct keyring *k)
{
    struct err err = {0};

    keyring_shell("gpgconf --kill gpg-agent");
    assert_true(tree_remove(k->home, &err));
}

#endif
