/* SPDX-License-Identifier: PostgreSQL */
#include "codec_in.h"

static enum codec_step pack(struct codec *c, const struct codec_lib *lib, struct codec_turn *t,
                            enum codec_input last, struct err *err)
{
    enum codec_step step = STEP_ON;

    while (step == STEP_ON && !c->done && t->room && (t->left || last == CODEC_LAST)) {
        size_t left = t->left, room = t->room;

        step = lib->pack(c, t, last, err);
        c->done = step == STEP_END;
        if (left == t->left && room == t->room) {
            break;
        }
    }
    return step;
}

/* A file may consist of several members, one after the other. */
static enum codec_step unpack(struct codec *c, const struct codec_lib *lib,
                              struct codec_turn *t, struct err *err)
{
    enum codec_step step = STEP_ON;

    while (step != STEP_FAILED && t->room && (t->left || !c->done)) {
        size_t left = t->left, room = t->room;

        if (c->done && lib->again && !lib->again(c, err)) {
            return STEP_FAILED;
        }
        step = lib->unpack(c, t, err);
        c->done = step == STEP_END;
        if (left == t->left && room == t->room) {
            break; /* wants more input */
        }
    }
    return step;
}

bool codec_loop(struct codec *c, const struct codec_lib *lib, struct str *in,
                enum codec_input last, struct codec_out *out, struct err *err)
{
    struct codec_turn t = {in->p, in->n, out->p, out->cap};
    bool is_pack = c->way == CODEC_PACK;
    enum codec_step step = is_pack ? pack(c, lib, &t, last, err) : unpack(c, lib, &t, err);

    *in = str_skip(*in, in->n - t.left);
    out->got = out->cap - t.room;
    if (step != STEP_FAILED && !is_pack && last == CODEC_LAST && !c->done && !t.left &&
        t.room) {
        return codec_too_early(c, err);
    }
    return step != STEP_FAILED;
}

void codec_turn_on(struct codec_turn *t, size_t taken, size_t given)
{
    if (taken) { /* there may be no place at all */
        t->in += taken;
        t->left -= taken;
    }
    if (given) {
        t->out += given;
        t->room -= given;
    }
}
