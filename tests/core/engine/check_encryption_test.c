/* SPDX-License-Identifier: PostgreSQL */
/* With the real gpg and a keyring of its own. */
#include "check_lines.h"
#include "core/repo/keyring.h"

static struct keyring ring;

/* What the line says; hint "": there is none. */
static const struct row {
    const char *label;
    const char *encryption, *key, *passphrase;
    const char *path; /* path_prefix */
    bool ok;
    const char *hint; /* a part of it */
} rows[] = {
    {"not configured", NULL, KEYRING_ID, "cat x", NULL, true, ""},
    {"none", "none", KEYRING_ID, "cat x", NULL, true, ""},
    {"no key", "gpg", NULL, "cat x", NULL, false, "encryption_key_id is required"},
    {"a key that is not there", "gpg", "nobody@example.org", "cat x", NULL, false, "gpg"},
    {"a gpg that does nothing", "gpg", KEYRING_ID, "cat x", "/lazy", false, "not encrypted"},
    {"a gpg that fails", "gpg", KEYRING_ID, "cat x", "/broken", false, "gpg"},
};

static void gpg_of(const char *dir, const char *body)
{
    char text[512];

    snprintf(text, sizeof text,
             "mkdir -p $GNUPGHOME%s && printf '#!/bin/sh\\n%s\\n' >$GNUPGHOME%s/gpg && "
             "chmod +x $GNUPGHOME%s/gpg",
             dir, body, dir, dir);
    keyring_shell(text);
}

static void one_row(void **state)
{
    const struct row *r = *state;
    const struct check_line *line;
    struct checked k;
    char path[128];

    checked_init(&k);
    keyring_init(&ring);
    gpg_of("/lazy", "cat");
    gpg_of("/broken", "exit 2");
    snprintf(path, sizeof path, "%s%s", ring.home, r->path ? r->path : "");
    k.srv.encryption = r->encryption;
    k.srv.encryption_key_id = r->key;
    k.srv.encryption_passphrase_command = r->passphrase;
    k.srv.path_prefix = r->path ? path : NULL;
    check_encryption(&k.c);
    line = checked_line(&k, "encryption");
    assert_int_equal(line == NULL, r->hint[0] == '\0');
    if (line) {
        assert_int_equal(line->ok, r->ok);
        assert_non_null(strstr(line->hint, r->hint));
    }
    keyring_release(&ring);
    checked_release(&k);
}

/* It is tried; a version that encrypts no backups says so all the same. */
static void a_good_key(void **state)
{
    const struct check_line *line;
    struct checked k;
    struct err err = {0};
    bool taken;

    (void)state;
    checked_init(&k);
    keyring_init(&ring);
    k.srv.encryption = "gpg";
    k.srv.encryption_key_id = KEYRING_ID;
    k.srv.encryption_passphrase_command = ring.command;
    taken = server_cfg_refusal(&k.srv, CFG_USE_BACKUP, &err);
    check_encryption(&k.c);
    line = checked_line(&k, "encryption");
    assert_non_null(line);
    assert_int_equal(line->ok, taken);
    assert_true(taken ? line->hint == NULL : strstr(line->hint, "'encryption'") != NULL);
    k.srv.encryption_passphrase_command = NULL;
    k.out.n = 0;
    check_encryption(&k.c);
    line = checked_line(&k, "encryption");
    assert_true(!taken || strstr(line->hint, "encryption_passphrase_command") != NULL);
    keyring_release(&ring);
    checked_release(&k);
}

TEST_MAIN(ROWS(rows, one_row), ONE(a_good_key))
