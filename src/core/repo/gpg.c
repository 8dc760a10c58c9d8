/* SPDX-License-Identifier: PostgreSQL */
#include "gpg.h"

#include "base/child.h"
#include "base/sys.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PASSPHRASE_CAP 4096 /* fits a pipe whole */

enum { TAG_PUBLIC_KEY_SESSION = 1, TAG_PASSPHRASE_SESSION = 3, TAG_SEALED = 18 };

/* Where the body of a packet begins that has the given head; 0: no packet head. */
static size_t body_at(const uint8_t *p, size_t n, unsigned *tag)
{
    static const size_t old_len[] = {2, 3, 5, 1};

    if (n < 2 || !(p[0] & 0x80)) {
        return 0;
    }
    if (!(p[0] & 0x40)) {
        *tag = p[0] >> 2 & 0x0f;
        return old_len[p[0] & 3];
    }
    *tag = p[0] & 0x3f;
    return p[1] < 192 ? 2 : p[1] < 224 ? 3 : p[1] == 255 ? 6 : 2;
}

bool gpg_detect(const void *head, size_t n)
{
    const uint8_t *p = head;
    unsigned tag = 0;
    size_t at;

    if (str_starts(str_n(head, n), "-----BEGIN PGP M")) {
        return true;
    }
    at = body_at(p, n, &tag);
    if (at == 0 || at >= n) {
        return false;
    }
    switch (tag) {
    case TAG_PUBLIC_KEY_SESSION:
        return p[at] == 3 || p[at] == 6;
    case TAG_PASSPHRASE_SESSION:
        return p[at] >= 4 && p[at] <= 6;
    case TAG_SEALED:
        return p[at] == 1 || p[at] == 2;
    default:
        return false;
    }
}

/* gpg between the descriptors; its last words become the reason. */
static bool run(const struct gpg *g, const char *const *argv, const struct child_fds *fds,
                const char *what, struct err *err)
{
    const char **env = g->path ? child_env_new(g->path) : NULL;
    struct child_spec spec = {.argv = argv, .env = env, .cancel_fd = g->cancel_fd};
    struct child_end end;
    bool ok;

    if (g->path && !env) {
        return err_set(err, ERR_MEMORY, "", "", "out of memory");
    }
    ok = child_run_between(&spec, fds, &end, err);
    child_env_free(env);
    if (!ok) {
        str_copy(err->what, sizeof err->what, what);
    }
    return ok;
}

bool gpg_encrypt(const struct gpg *g, int from_fd, int to_fd, const char *what, struct err *err)
{
    const char *argv[] = {"gpg",
                          "--batch",
                          "--yes",
                          "--quiet",
                          "--no-tty",
                          "--encrypt",
                          "--recipient",
                          g->key_id,
                          "--trust-model",
                          "always",
                          "--compress-algo",
                          "none",
                          "--output",
                          "-",
                          NULL};

    if (!g->key_id) {
        return err_set(err, ERR_CONFIG, "Set it to the key that encrypts.", what,
                       "encryption without encryption_key_id");
    }
    return run(g, argv, &(struct child_fds){from_fd, to_fd, -1}, what, err) ||
           err_wrap(err, "encrypt with gpg");
}

/* What the command writes, without its last newline. */
static bool passphrase(const struct gpg *g, char out[PASSPHRASE_CAP], size_t *n,
                       const char *what, struct err *err)
{
    const char *argv[] = {"/bin/sh", "-c", g->passphrase_command, NULL};
    const char **env = g->path ? child_env_new(g->path) : NULL;
    struct child_spec spec = {.argv = argv,
                              .env = env,
                              .out = out,
                              .out_cap = PASSPHRASE_CAP,
                              .cancel_fd = g->cancel_fd};
    struct child_end end;
    bool ok;

    if (g->path && !env) {
        return err_set(err, ERR_MEMORY, "", "", "out of memory");
    }
    ok = child_run(&spec, &end, err);
    child_env_free(env);
    if (!ok) {
        err->code = err->code == ERR_IO ? ERR_CONFIG : err->code;
        str_copy(err->what, sizeof err->what, what);
        return err_wrap(err, "run encryption_passphrase_command");
    }
    *n = end.out_len;
    while (*n && (out[*n - 1] == '\n' || out[*n - 1] == '\r')) {
        (*n)--;
    }
    return (*n > 0 && !end.out_cut) ||
           err_set(err, ERR_CONFIG, "Let it print the passphrase, in one line.", what,
                   "encryption_passphrase_command printed %s", *n ? "too much" : "nothing");
}

static bool give(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t w = write(fd, p, n);

        if (w < 0 && errno != EINTR) {
            return false;
        }
        p += w > 0 ? w : 0;
        n -= w > 0 ? (size_t)w : 0;
    }
    return true;
}

/* What gpg says without the key, and with a wrong passphrase; of damage it says something else. */
static bool without_key(struct err *err)
{
    if (err->code == ERR_IO &&
        (strstr(err->why, "No secret key") || strstr(err->why, "Bad passphrase"))) {
        err->code = ERR_CONFIG;
        str_copy(err->hint, sizeof err->hint,
                 "Bring the key, and let encryption_passphrase_command print its passphrase.");
    }
    return false;
}

bool gpg_decrypt(const struct gpg *g, int from_fd, int to_fd, const char *what, struct err *err)
{
    const char *argv[] = {"gpg",      "--batch",         "--yes",    "--quiet",
                          "--no-tty", "--pinentry-mode", "loopback", "--passphrase-fd",
                          "3",        "--decrypt",       NULL};
    char secret[PASSPHRASE_CAP];
    size_t n = 0;
    int fd[2];
    bool ok;

    if (!g->passphrase_command) {
        return err_set(err, ERR_CONFIG, "Set it to a command that prints the passphrase.", what,
                       "encrypted, and no encryption_passphrase_command");
    }
    if (!passphrase(g, secret, &n, what, err)) {
        sys_wipe(secret, sizeof secret);
        return false;
    }
    if (!child_pipe(fd, err)) {
        sys_wipe(secret, sizeof secret);
        return false;
    }
    ok = give(fd[1], secret, n) ? true : err_os(err, errno, "write to", "a pipe");
    sys_wipe(secret, sizeof secret);
    close(fd[1]);
    ok = ok && (run(g, argv, &(struct child_fds){from_fd, to_fd, fd[0]}, what, err) ||
                without_key(err) || err_wrap(err, "decrypt with gpg"));
    close(fd[0]);
    return ok;
}
