/* SPDX-License-Identifier: PostgreSQL */
/* What a client of put-wal sends to prove its files: which sum, and in which words. */
#include "engine/put_wal.h"

#include <fcntl.h>
#include <unistd.h>

#define MD5_NOTE "put-md5" /* in own_dir */

bool put_sums_line(struct str line, struct str *sum, struct str *name)
{
    size_t at;

    line = str_trim(line);
    if (!str_find(line, ' ', &at) || at == 0 || at + 2 >= line.n ||
        (line.p[at + 1] != ' ' && line.p[at + 1] != '*')) {
        return false;
    }
    *sum = str_n(line.p, at);
    *name = str_skip(line, at + 2);
    (void)str_take_lit(name, "./");
    return name->n > 0;
}

enum digest_kind put_sums_guess(const struct repo *r)
{
    char path[PATH_CAP];
    struct err ignored;

    return path_join(path, r->own_dir, MD5_NOTE, &ignored) &&
                   file_kind(path, NULL) == FILE_REGULAR
               ? DIGEST_MD5
               : DIGEST_SHA256;
}

void put_sums_note(const struct repo *r, enum digest_kind guessed, enum digest_kind came)
{
    char path[PATH_CAP];
    struct err ignored;
    int fd;

    if (came == guessed || !path_join(path, r->own_dir, MD5_NOTE, &ignored)) {
        return;
    }
    if (came != DIGEST_MD5) {
        unlink(path);
        return;
    }
    fd = dir_make(r->own_dir, &ignored)
             ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)
             : -1;
    if (fd >= 0) {
        close(fd);
    }
}
