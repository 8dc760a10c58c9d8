/* SPDX-License-Identifier: PostgreSQL */
#include "engine/backup_form.h"
#include "engine/check_in.h"
#include "repo/gpg.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SAMPLE   "barkeep"
#define SAID_CAP 4096 /* what the sample becomes: less than a pipe holds */

/* A few bytes through the real gpg with the key of the configuration. in: holds the sample and
 * then its end; out: takes what comes. */
static bool encrypts(struct checking *c, const int in[2], const int out[2], struct err *err)
{
    const struct gpg gpg = backup_form_gpg(c->srv, c->t->cancel_fd);
    char said[SAID_CAP];
    ssize_t n;

    if (!gpg_encrypt(&gpg, in[0], out[1], "a sample", err)) {
        return false;
    }
    n = read(out[0], said, sizeof said);
    return (n > 0 && gpg_detect(said, (size_t)n)) ||
           err_set(err, ERR_FORMAT, "", "gpg", "what it wrote is not encrypted");
}

static void close_pipe(const int fd[2])
{
    for (int i = 0; i < 2; i++) {
        if (fd[i] >= 0) {
            close(fd[i]);
        }
    }
}

static bool try_it(struct checking *c, struct err *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    bool ok = pipe(in) == 0 && pipe(out) == 0 && fcntl(out[0], F_SETFL, O_NONBLOCK) == 0 &&
              write(in[1], SAMPLE, strlen(SAMPLE)) == (ssize_t)strlen(SAMPLE);

    if (!ok) {
        err_os(err, errno, "make a pipe", "");
    } else {
        close(in[1]);
        in[1] = -1;
        ok = encrypts(c, in, out, err);
    }
    close_pipe(in);
    close_pipe(out);
    return ok;
}

void check_encryption(struct checking *c)
{
    const struct server_cfg *srv = c->srv;
    const char *why = NULL;
    struct err err;

    if (!srv->encryption || strcmp(srv->encryption, "none") == 0) {
        return;
    }
    if (!srv->encryption_key_id) {
        why = "encryption_key_id is required when encryption is enabled";
    } else if (!try_it(c, &err)) {
        why = check_why(c, &err);
    } else if (!server_cfg_refusal(srv, CFG_USE_BACKUP, &err) &&
               strstr(err.why, "'encryption'")) {
        why = check_why(c, &err);
    }
    if (why) {
        check_add(c, "encryption", false, why, CHECK_CRITICAL);
        return;
    }
    check_add(c, "encryption", true,
              srv->encryption_passphrase_command
                  ? NULL
                  : "without encryption_passphrase_command nothing can be restored",
              CHECK_CRITICAL);
}
