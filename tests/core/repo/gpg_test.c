/* SPDX-License-Identifier: PostgreSQL */
/* Packet heads are from RFC 4880, chapters 4.2, 5.1, 5.3 and 5.13; the rest is the real gpg. */
#include "harness.h"

#include "base/digest.h"
#include "repo/codec.h"
#include "repo/gpg.h"

#include "keyring.h"

#include <fcntl.h>
#include <unistd.h>

#define HEAD(x) x, sizeof(x) - 1

static const struct row {
    const char *label;
    const char *head;
    size_t n;
    bool is;
} rows[] = {
    {"public key session, old head", HEAD("\x85\x01\x0c\x03zzzz"), true},
    {"public key session, one byte of length", HEAD("\x84\x5e\x03zzzz"), true},
    {"public key session, new head", HEAD("\xc1\x5e\x03zzzz"), true},
    {"public key session, new head, two bytes", HEAD("\xc1\xc1\x0c\x03zzzz"), true},
    {"passphrase session", HEAD("\x8c\x0d\x04\x09\x03"), true},
    {"sealed, partial length", HEAD("\xd2\xed\x01zzzz"), true},
    {"sealed, long length", HEAD("\xd2\xff\x00\x10\x00\x00\x01"), true},
    {"armoured", HEAD("-----BEGIN PGP MESSAGE-----"), true},
    {"armoured key", HEAD("-----BEGIN RSA PRIV"), false},
    {"public key session of no version", HEAD("\x85\x01\x0c\x09"), false},
    {"a signature", HEAD("\x88\x5e\x04\x00"), false},
    {"a public key", HEAD("\x99\x01\x0d\x04"), false},
    {"head cut", HEAD("\x85\x01\x0c"), false},
    {"one byte", HEAD("\x85"), false},
    {"nothing", HEAD(""), false},
    {"WAL of 13", HEAD("\x06\xd1\x02\x00\x01\x00\x00\x00"), false},
    {"WAL of 18", HEAD("\x18\xd1\x02\x00\x01\x00\x00\x00"), false},
    {"gzip", HEAD("\x1f\x8b\x08\x00"), false},
    {"xz", HEAD("\xfd\x37\x7a\x58\x5a\x00"), false},
    {"snappy", HEAD("\xff\x06\x00\x00sNaPpY"), false},
    {"zeros", HEAD("\0\0\0\0\0\0\0\0"), false},
};

static void check_row(void **state)
{
    const struct row *row = *state;

    assert_int_equal(gpg_detect(row->head, row->n), row->is);
}

static struct keyring keys;

static int fd_of(const char *name, int flags)
{
    char path[PATH_CAP];
    int fd;

    snprintf(path, sizeof path, "%s/%s", keys.home, name);
    fd = open(path, flags | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    return fd;
}

static char plain[200000], buf[300000];

static size_t content(const char *name)
{
    struct err err = {0};
    size_t n;
    int fd = fd_of(name, O_RDONLY);

    assert_true(fd_read_full(fd, buf, sizeof buf, &n, name, &err));
    close(fd);
    return n;
}

static void put(const char *name, const void *p, size_t n)
{
    struct err err = {0};
    int fd = fd_of(name, O_WRONLY | O_CREAT | O_TRUNC);

    assert_true(fd_write_all(fd, p, n, name, &err));
    close(fd);
}

static bool encrypt(const struct gpg *g, struct err *err)
{
    int from = fd_of("plain", O_RDONLY), to = fd_of("sealed", O_WRONLY | O_CREAT | O_TRUNC);
    bool ok = gpg_encrypt(g, from, to, "plain", err);

    close(from);
    close(to);
    return ok;
}

static bool decrypt(const struct gpg *g, struct err *err)
{
    int from = fd_of("sealed", O_RDONLY), to = fd_of("back", O_WRONLY | O_CREAT | O_TRUNC);
    bool ok = gpg_decrypt(g, from, to, "sealed", err);

    close(from);
    close(to);
    return ok;
}

static void there_and_back(void **state)
{
    struct err err = {0};
    size_t n;

    (void)state;
    keyring_init(&keys);
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (char)(i * i >> 5);
    }
    put("plain", plain, sizeof plain);
    assert_true(encrypt(&keys.gpg, &err));
    n = content("sealed");
    assert_true(n > sizeof plain);
    assert_true(gpg_detect(buf, GPG_HEAD_LEN));
    assert_int_equal(codec_detect(buf, CODEC_MAGIC_LEN, NULL), CODEC_NONE);
    assert_true(decrypt(&keys.gpg, &err));
    assert_int_equal(content("back"), sizeof plain);
    assert_memory_equal(buf, plain, sizeof plain);
}

/* The gpg found first in path notes everything that anybody could read of processes. */
static void passphrase_is_not_to_be_seen(void **state)
{
    char dir[128];
    struct err err = {0};
    struct gpg g = keys.gpg;
    size_t n;

    (void)state;
    snprintf(dir, sizeof dir, "%s/seeing", keys.home);
    g.path = dir;
    assert_true(encrypt(&g, &err));
    assert_true(decrypt(&g, &err));
    n = content("seen");
    assert_true(n > 100);
    for (size_t i = 0; i + 14 < n; i++) {
        assert_memory_not_equal(buf + i, keys.secret, 14); /* its beginning */
    }
}

static const struct fail_row {
    const char *label;
    const char *key_id, *command;
    bool encrypts;
    enum err_code code;
    const char *why, *doing;
} fail_rows[] = {
    {"no key", NULL, "true", true, ERR_CONFIG, "without encryption_key_id", ""},
    {"unknown key", "nobody@example.org", "true", true, ERR_IO, "exit status 2",
     "encrypt with gpg"},
    {"no command", "x", NULL, false, ERR_CONFIG, "no encryption_passphrase_command", ""},
    {"command fails", "x", "echo it is lost >&2; exit 4", false, ERR_CONFIG, "it is lost",
     "run encryption_passphrase_command"},
    {"command prints nothing", "x", "true", false, ERR_CONFIG, "printed nothing", ""},
    {"command prints too much", "x", "head -c 5000 /dev/zero | tr '\\0' x", false, ERR_CONFIG,
     "printed too much", ""},
    {"wrong passphrase", "x", "echo wrong", false, ERR_IO, "exit status 2", "decrypt with gpg"},
};

static void check_fail(void **state)
{
    const struct fail_row *row = *state;
    struct gpg g = {row->key_id, row->command, NULL, -1};
    struct err err = {0};

    keyring_shell("gpgconf --kill gpg-agent"); /* it remembers */
    assert_false(row->encrypts ? encrypt(&g, &err) : decrypt(&g, &err));
    assert_int_equal(err.code, row->code);
    assert_non_null(strstr(err.why, row->why));
    assert_non_null(strstr(err.doing, row->doing));
    assert_null(strstr(err.why, keys.secret));
}

static void damaged_is_refused(void **state)
{
    struct err err = {0};
    size_t n;

    (void)state;
    assert_true(encrypt(&keys.gpg, &err));
    n = content("sealed");
    put("sealed", buf, n / 2);
    assert_false(decrypt(&keys.gpg, &err));
    buf[n / 2] = (char)(buf[n / 2] ^ 1);
    put("sealed", buf, n);
    assert_false(decrypt(&keys.gpg, &err));
    put("sealed", "", 0);
    assert_false(decrypt(&keys.gpg, &err));
    assert_int_equal(err.code, ERR_IO);
}

static void done(void **state)
{
    (void)state;
    keyring_release(&keys);
}

TEST_MAIN(ROWS(rows, check_row), ONE(there_and_back), ONE(passphrase_is_not_to_be_seen),
          ROWS(fail_rows, check_fail), ONE(damaged_is_refused), ONE(done))
