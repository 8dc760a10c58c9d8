/* SPDX-License-Identifier: PostgreSQL */
/* custom_compression_filter and its counterpart: a shell command between two pipes. */
#include "base/child.h"
#include "codec_in.h"

#include <stdlib.h>

struct filter {
    struct codec base;
    struct child_filter *child;
};

static struct codec *filter_new(const struct codec_start *start, struct err *err)
{
    const struct codec_custom *custom = start->custom;
    const char *command = !custom                    ? NULL
                          : start->way == CODEC_PACK ? custom->pack
                                                     : custom->unpack;
    struct filter *c;

    if (!command) {
        err_set(err, ERR_CONFIG, "Set it to the command that does it.", "",
                "custom compression without %s",
                start->way == CODEC_PACK ? "custom_compression_filter"
                                         : "custom_decompression_filter");
        return NULL;
    }
    c = codec_base_new(sizeof *c, start, err);
    if (!c) {
        return NULL;
    }
    c->child = child_filter_new(command, custom->path, err);
    if (!c->child) {
        free(c);
        return NULL;
    }
    return &c->base;
}

static void filter_free(struct codec *base)
{
    struct filter *c = (struct filter *)base;

    child_filter_free(c->child);
    free(c);
}

static bool filter_run(struct codec *base, struct str *in, enum codec_input last,
                       struct codec_out *out, struct err *err)
{
    struct filter *c = (struct filter *)base;

    if (base->done) {
        *in = str_skip(*in, in->n);
        return true;
    }
    if (!child_filter_run(c->child, in, last == CODEC_LAST, out->p, out->cap, &out->got, err)) {
        return false;
    }
    base->done = out->got == 0 && last == CODEC_LAST;
    return true;
}

static void filter_heed(struct codec *base, int cancel_fd)
{
    child_filter_limit(((struct filter *)base)->child, 0, cancel_fd);
}

const struct codec_ops codec_filter = {filter_new, filter_run, filter_free, filter_heed};
