/* SPDX-License-Identifier: PostgreSQL */
#include "engine/backup_pack.h"

#include "base/file.h"
#include "repo/squeeze.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LANES   2 /* that compress beside each other, when nothing tells how many */
#define TRAILER 1024

struct pack {
    struct pack_spec spec;
    struct squeeze *squeeze;
    char path[PATH_CAP];
    int file;  /* on the disk; -1: none open */
    int entry; /* where the stream goes: the file, or the way to gpg */
    uint64_t bytes;
    /* gpg */
    struct lane *lane; /* of the file at hand */
    int exit;          /* gpg's end of the pipe; without threads a temporary file */
};

static unsigned cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n > LANES ? (unsigned)n : LANES;
}

static int level_of(const struct backup_form *form)
{
    /* Where nothing is said: what costs the least time for about the same size. */
    if (form->level == FORM_LEVEL_UNSET) {
        return form->codec == CODEC_GZIP ? 6 : 1;
    }
    return form->level < -22 ? -22 : (int)form->level;
}

struct pack *pack_new(const struct pack_spec *spec, struct err *err)
{
    struct pack *p = calloc(1, sizeof *p);
    const struct backup_form *form = spec->form;
    const struct squeeze_spec squeeze = {
        .task = spec->task,
        .kind = form->by_server ? CODEC_NONE : form->codec,
        .level = level_of(form),
        .lanes = cores(),
        .sync = form->is_encrypted ? NULL : spec->sync,
    };

    if (!p) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    p->spec = *spec;
    p->file = p->entry = p->exit = -1;
    p->squeeze = squeeze_new(&squeeze, err);
    if (!p->squeeze) {
        pack_free(p);
        return NULL;
    }
    return p;
}

static void shut(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

static void shut_all(struct pack *p)
{
    if (p->entry != p->file) {
        shut(&p->entry);
    }
    p->entry = -1;
    if (p->lane) {
        lane_fail(p->spec.task, p->lane);
        p->lane = NULL;
    }
    shut(&p->exit);
    shut(&p->file);
}

void pack_free(struct pack *p)
{
    if (!p) {
        return;
    }
    shut_all(p);
    squeeze_free(p->squeeze);
    free(p);
}

/* --- gpg --- */

static bool encrypt(void *ctx, void *item, bool more, struct err *err)
{
    struct pack *p = ctx;
    bool ok;

    (void)item;
    (void)more;
    ok = gpg_encrypt(&p->spec.form->gpg, p->exit, p->file, p->path, err);
    shut(&p->exit); /* who still writes to it must not wait for ever */
    return ok;
}

/* A pipe to gpg, which runs on a lane of its own. Where there are no threads a file without a
 * name takes the place of the pipe, and gpg comes at the end. */
static bool open_gpg(struct pack *p, struct err *err)
{
    const struct lane_spec spec = {
        .name = "encrypt", .item_size = 1, .slots = 1, .ctx = p, .consume = encrypt};
    int ends[2];
    char go = 1;

    p->lane = lane_open(p->spec.task, &spec, err);
    if (!p->lane) {
        return false;
    }
    if (lane_mark_fd(p->spec.task, p->lane) < 0) {
        FILE *f = tmpfile();

        p->exit = f ? dup(fileno(f)) : -1;
        p->entry = p->exit >= 0 ? dup(p->exit) : -1;
        if (f) {
            fclose(f);
        }
        return p->entry >= 0 || err_os(err, errno, "make a temporary file for", p->path);
    }
    if (pipe(ends) != 0) {
        return err_os(err, errno, "make a pipe for", p->path);
    }
    p->exit = ends[0];
    p->entry = ends[1];
    (void)fcntl(p->exit, F_SETFD, FD_CLOEXEC);
    (void)fcntl(p->entry, F_SETFD, FD_CLOEXEC);
    return lane_put(p->spec.task, p->lane, &go, err);
}

static bool close_gpg(struct pack *p, struct err *err)
{
    struct lane *lane = p->lane;
    bool inline_now = lane_mark_fd(p->spec.task, lane) < 0;
    char go = 1;

    shut(&p->entry);
    if (inline_now &&
        (lseek(p->exit, 0, SEEK_SET) != 0 || !lane_put(p->spec.task, lane, &go, err))) {
        return false;
    }
    p->lane = NULL;
    return lane_close(p->spec.task, lane, err);
}

/* --- an archive --- */

bool pack_begin(struct pack *p, const char *name, struct err *err)
{
    const struct backup_form *form = p->spec.form;
    const char *suffix = backup_form_suffix(form->codec, form->is_encrypted);

    if (!str_fmt(p->path, sizeof p->path, "%s/%s%s", p->spec.dir, name, suffix)) {
        return err_set(err, ERR_FORMAT, "", p->spec.dir, "path too long");
    }
    p->file = open(p->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (p->file < 0) {
        return err_os(err, errno, "make", p->path);
    }
    p->entry = p->file;
    if (form->is_encrypted && !open_gpg(p, err)) {
        return false;
    }
    squeeze_begin(p->squeeze, p->entry, p->path);
    return true;
}

/* When gpg has gone the pipe is broken, and what gpg said is the reason. */
static bool why_gpg(struct pack *p, struct err *err)
{
    struct err said = {0};
    struct lane *lane = p->lane;

    if (!lane) {
        return false;
    }
    shut(&p->entry);
    p->lane = NULL;
    if (!lane_close(p->spec.task, lane, &said)) {
        *err = said;
    }
    return false;
}

bool pack_data(struct pack *p, const void *mem, size_t n, struct err *err)
{
    return squeeze_put(p->squeeze, mem, n, err) || why_gpg(p, err);
}

bool pack_end(struct pack *p, struct err *err)
{
    static const char trailer[TRAILER];
    uint64_t bytes;
    struct stat st;

    if (!p->spec.trailers && !squeeze_put(p->squeeze, trailer, sizeof trailer, err)) {
        return why_gpg(p, err);
    }
    if (!squeeze_end(p->squeeze, &bytes, err)) {
        return why_gpg(p, err);
    }
    if (p->lane && !close_gpg(p, err)) {
        return false;
    }
    if (!sync_file(p->spec.sync, p->file, p->path, err)) {
        return false;
    }
    if (fstat(p->file, &st) != 0) {
        return err_os(err, errno, "look at", p->path);
    }
    p->bytes += (uint64_t)st.st_size;
    p->entry = -1;
    if (close(p->file) != 0) {
        p->file = -1;
        return err_os(err, errno, "close", p->path);
    }
    p->file = -1;
    return true;
}

uint64_t pack_bytes(const struct pack *p)
{
    return p->bytes;
}
