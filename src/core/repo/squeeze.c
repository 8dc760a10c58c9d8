/* SPDX-License-Identifier: PostgreSQL */
#include "repo/squeeze.h"

#include "base/bug.h"
#include "base/file.h"
#include "base/sys.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LANES_MAX  64
#define BLOCKS_MAX (2 * LANES_MAX + 1)
#define LANE_SLOTS 4
/* More than any of the codecs adds to what cannot be compressed. */
#define OUT_CAP (SQUEEZE_BLOCK + SQUEEZE_BLOCK / 64 + 65536)

struct block {
    char *in, *out;
    size_t n, got;
    bool failed; /* and err: by the lane, before it moves its mark */
    struct err err;
};

struct press { /* a lane's consumer */
    const struct squeeze *s;
    struct lane *lane;
    struct codec_whole *packer; /* NULL: this kind has none */
    uint64_t done;
};

struct squeeze {
    struct squeeze_spec spec;
    struct press press[LANES_MAX];
    struct block block[BLOCKS_MAX]; /* number i is block[i % blocks], packed by i % lanes */
    size_t blocks;
    uint64_t filled, written; /* numbers: to be filled, to be written next */
    int fd;
    const char *what;
    uint64_t bytes, started; /* of the file */
};

/* --- a block, on its lane --- */

static bool pack_stream(const struct squeeze_spec *spec, struct block *b, struct err *err)
{
    struct codec *c = codec_new(spec->kind, CODEC_PACK, spec->level, NULL, err);
    struct str in = str_n(b->in, b->n);
    struct codec_out out = {b->out, OUT_CAP, 1};
    bool ok = c != NULL;

    b->got = 0;
    while (ok && out.got) {
        out = (struct codec_out){b->out + b->got, OUT_CAP - b->got, 0};
        ok = codec_run(c, &in, CODEC_LAST, &out, err);
        b->got += out.got;
        BUG_IF(b->got == OUT_CAP);
    }
    codec_free(c);
    return ok;
}

/* All at once where the kind has a faster way for that. */
static bool pack_block(const struct press *press, struct block *b, struct err *err)
{
    struct codec_out out = {b->out, OUT_CAP, 0};
    bool ok;

    if (!press->packer || codec_whole_bound(press->packer, b->n) > OUT_CAP) {
        return pack_stream(&press->s->spec, b, err);
    }
    ok = codec_whole_pack(press->packer, str_n(b->in, b->n), &out, err);
    b->got = out.got;
    return ok;
}

static bool press_block(void *ctx, void *item, bool more, struct err *err)
{
    struct press *press = ctx;
    struct block *b;

    (void)more;
    (void)err; /* it is the block's: whoever waits for the block tells it */
    memcpy(&b, item, sizeof b);
    b->failed = !pack_block(press, b, &b->err);
    lane_set_mark(press->s->spec.task, press->lane, ++press->done);
    return true;
}

/* --- blocks in order --- */

static bool wait_for(struct squeeze *s, uint64_t number, struct err *err)
{
    const struct task *task = s->spec.task;
    struct lane *lane = s->press[number % s->spec.lanes].lane;
    uint64_t need = number / s->spec.lanes + 1, rung;
    struct pollfd p[2] = {{.events = POLLIN}, {.fd = task->cancel_fd, .events = POLLIN}};

    p[0].fd = lane_mark_fd(task, lane);
    while (lane_mark(task, lane) < need) {
        if (!task_go_on(task, err)) {
            return false;
        }
        BUG_IF(p[0].fd < 0); /* a serial task has packed it by now */
        (void)poll(p, task->cancel_fd >= 0 ? 2 : 1, -1);
        if (read(p[0].fd, &rung, sizeof rung) < 0) {
            continue;
        }
    }
    return true;
}

static bool write_out(struct squeeze *s, const void *p, size_t n, struct err *err)
{
    if (!fd_write_all(s->fd, p, n, s->what, err)) {
        return false;
    }
    s->bytes += n;
    if (s->spec.sync) {
        sync_wrote(s->spec.sync, s->fd, s->bytes, &s->started);
    }
    return true;
}

static bool write_next(struct squeeze *s, struct err *err)
{
    struct block *b = &s->block[s->written % s->blocks];

    if (!wait_for(s, s->written, err)) {
        return false;
    }
    s->written++;
    if (b->failed) {
        *err = b->err;
        return false;
    }
    return write_out(s, b->out, b->got, err);
}

/* The block at hand goes to its lane, and the next one is made free. */
static bool send_block(struct squeeze *s, struct err *err)
{
    struct block *b = &s->block[s->filled % s->blocks];

    b->failed = false;
    if (!lane_put(s->spec.task, s->press[s->filled % s->spec.lanes].lane, &b, err)) {
        return false;
    }
    s->filled++;
    if (s->filled - s->written == s->blocks && !write_next(s, err)) {
        return false;
    }
    s->block[s->filled % s->blocks].n = 0;
    return true;
}

bool squeeze_put(struct squeeze *s, const void *p, size_t n, struct err *err)
{
    const char *at = p;

    if (s->spec.kind == CODEC_NONE) {
        return write_out(s, p, n, err);
    }
    while (n) {
        struct block *b = &s->block[s->filled % s->blocks];
        size_t take = n < SQUEEZE_BLOCK - b->n ? n : SQUEEZE_BLOCK - b->n;

        memcpy(b->in + b->n, at, take);
        b->n += take;
        at += take;
        n -= take;
        if (b->n == SQUEEZE_BLOCK && !send_block(s, err)) {
            return false;
        }
    }
    return true;
}

void squeeze_begin(struct squeeze *s, int fd, const char *what)
{
    s->fd = fd;
    s->what = what;
    s->bytes = s->started = 0;
}

bool squeeze_end(struct squeeze *s, uint64_t *bytes, struct err *err)
{
    if (s->spec.kind != CODEC_NONE && s->block[s->filled % s->blocks].n &&
        !send_block(s, err)) {
        return false;
    }
    while (s->written < s->filled) {
        if (!write_next(s, err)) {
            return false;
        }
    }
    *bytes = s->bytes;
    return true;
}

/* --- life --- */

static bool blocks_new(struct squeeze *s, struct err *err)
{
    for (size_t i = 0; i < s->blocks; i++) {
        s->block[i].in = sys_large_new(SQUEEZE_BLOCK);
        s->block[i].out = sys_large_new(OUT_CAP);
        if (!s->block[i].in || !s->block[i].out) {
            return err_set(err, ERR_MEMORY, "", "", "out of memory");
        }
    }
    return true;
}

static bool open_lanes(struct squeeze *s, struct err *err)
{
    for (size_t i = 0; i < s->spec.lanes; i++) {
        const struct lane_spec lane = {
            .name = "compress",
            .item_size = sizeof(struct block *),
            .slots = LANE_SLOTS,
            .ctx = &s->press[i],
            .consume = press_block,
        };

        s->press[i].s = s;
        if (codec_has_whole(s->spec.kind) &&
            !(s->press[i].packer = codec_whole_new(s->spec.kind, s->spec.level, err))) {
            return false;
        }
        s->press[i].lane = lane_open(s->spec.task, &lane, err);
        if (!s->press[i].lane) {
            return false;
        }
    }
    return true;
}

struct squeeze *squeeze_new(const struct squeeze_spec *spec, struct err *err)
{
    struct squeeze *s = calloc(1, sizeof *s);

    if (!s) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    s->spec = *spec;
    s->spec.lanes = spec->lanes < 1 ? 1 : spec->lanes > LANES_MAX ? LANES_MAX : spec->lanes;
    s->fd = -1;
    if (spec->kind == CODEC_NONE) {
        return s;
    }
    s->blocks = (size_t)s->spec.lanes * 2 + 1;
    if (!blocks_new(s, err) || !open_lanes(s, err)) {
        squeeze_free(s);
        return NULL;
    }
    return s;
}

void squeeze_free(struct squeeze *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < LANES_MAX; i++) {
        if (s->press[i].lane) {
            lane_fail(s->spec.task, s->press[i].lane);
        }
        codec_whole_free(s->press[i].packer);
    }
    for (size_t i = 0; i < BLOCKS_MAX; i++) {
        free(s->block[i].in);
        free(s->block[i].out);
    }
    free(s);
}
